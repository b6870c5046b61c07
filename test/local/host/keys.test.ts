import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKeyCheck, type Keys, keysFor } from '../../../scripts/local/host/keys.js';

const keys: Keys = {
  masterKey: 'the-master-key',
  functionKeys: { default: 'a-host-key', pipelines: 'schlüssel-漢' },
  systemKeys: { durabletask_extension: 'the-system-key' },
  functions: { one: { default: 'own-key-of-one' }, two: { default: 'own-key-of-two' } },
};

const check = suite('a key of the local host');

for (const [level, opening, closed] of [
  [
    'function',
    ['the-master-key', 'a-host-key', 'schlüssel-漢', 'own-key-of-one'],
    ['own-key-of-two', 'the-system-key'],
  ],
  ['admin', ['the-master-key'], ['a-host-key', 'own-key-of-one', 'the-system-key']],
] as const) {
  check(`of level ${level} opens what it is for, whole and as it is, and nothing else does`, () => {
    const opens = createKeyCheck(keysFor(keys, 'one', level));
    for (const key of opening) assert.ok(opens(key), key);
    for (const key of [...closed, '', ' ', 'x', '\0', 'constructor', '__proto__', undefined]) {
      assert.not.ok(opens(key), key);
    }
    for (const key of opening) {
      const near = [
        key.slice(0, -1),
        key.slice(1),
        `${key}x`,
        `${key} `,
        ` ${key}`,
        `${key}\0`,
        key + key,
        `${key},${key}`,
      ];
      for (const other of [
        ...near,
        key.toUpperCase(),
        key.normalize('NFD').replace('u', 'U'),
        `${key}\u0301`,
      ]) {
        if (other !== key) assert.not.ok(opens(other), other);
      }
    }
  });
}

check('that is empty opens nothing, even where the file has an empty one', () => {
  assert.not.ok(createKeyCheck([])(''));
  assert.not.ok(createKeyCheck([])(undefined));
  assert.not.ok(createKeyCheck([''])(undefined));
  assert.not.ok(createKeyCheck([''])(''));
});

check.run();
