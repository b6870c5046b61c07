import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenSeal } from '../../shared/adapters/token-seal.js';

const test = suite('token seal');
const key = randomBytes(32);
const seal = createTokenSeal({ keys: [key] });
const token = 'eyJ0eXAi.canary-token.söhne';

test('gives back what it sealed, for the same request', () => {
  assert.is(seal.unseal('r-1', seal.seal('r-1', token)), token);
  assert.is(seal.unseal('r-1', seal.seal('r-1', '')), '');
});

test('never shows the token, nor the same text twice', () => {
  const [first, second] = [seal.seal('r-1', token), seal.seal('r-1', token)];
  assert.is.not(first, second);
  assert.not.match(first, /canary/);
  assert.not.match(Buffer.from(first.split('.')[3] ?? '', 'base64url').toString('latin1'), /canary/);
});

test('is worthless for another request', () => {
  assert.is(seal.unseal('r-2', seal.seal('r-1', token)), undefined);
});

/** What a careless decoder, a copy through another tool or an attacker makes of a character. */
const changes = (char: string): readonly string[] => [
  ...new Set(
    ['A', 'B', '_', '-', '+', '/', '=', '.', ' ', '\0', '\n', 'é', '', char + char, `${char}=`].concat(
      char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase(),
      // The nearest ones differ in the last bits only, which base64 leaves unused at an end.
      String.fromCharCode(char.charCodeAt(0) ^ 1),
      String.fromCharCode(char.charCodeAt(0) + 1),
      String.fromCharCode(char.charCodeAt(0) - 1),
      { l: 'I', I: 'l', O: '0', '0': 'O', '-': '+', _: '/' }[char] ?? 'x',
    ),
  ),
];

test('does not open once any character was changed, added or taken away', () => {
  let refused = 0;
  for (const text of [token, 'x', 'xy', 'xyz', '']) {
    const sealed = seal.seal('r-1', text);
    for (let index = 0; index < sealed.length; index += 1) {
      for (const change of changes(sealed[index] ?? '')) {
        const changed = sealed.slice(0, index) + change + sealed.slice(index + 1);
        if (changed === sealed) continue;
        assert.is(seal.unseal('r-1', changed), undefined, `character ${index} became ${change}`);
        refused += 1;
      }
      assert.is(seal.unseal('r-1', sealed.slice(0, index)), undefined, `cut at ${index}`);
      assert.is(seal.unseal('r-1', sealed.slice(index + 1)), undefined, `cut before ${index}`);
    }
    for (const more of ['A', '=', '.', ' ', '\n', '\0', '.AAAA', sealed]) {
      assert.is(seal.unseal('r-1', sealed + more), undefined, `${more} was added`);
      assert.is(seal.unseal('r-1', more + sealed), undefined, `${more} was put before`);
    }
  }
  assert.ok(refused > 5_000, String(refused));
  for (const text of ['', '.', '....', 'v1', 'v1....']) assert.is(seal.unseal('r-1', text), undefined, text);
});

test('does not open once any byte in it was changed to any other', () => {
  const [version, keyId, ...parts] = seal.seal('r-1', 'a-token').split('.');
  for (const [which, part] of parts.entries()) {
    const bytes = Buffer.from(part, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      for (let change = 1; change < 256; change += 1) {
        const changed = Buffer.from(bytes);
        changed[index] = (bytes[index] ?? 0) ^ change;
        const text = [version, keyId, ...parts.with(which, changed.toString('base64url'))].join('.');
        assert.is(seal.unseal('r-1', text), undefined, `part ${which}, byte ${index}, ${change}`);
      }
    }
  }
});

test('does not open with its parts in another order, or with those of another sealing', () => {
  const first = seal.seal('r-1', token).split('.');
  const second = seal.seal('r-1', token).split('.');
  for (let one = 0; one < first.length; one += 1) {
    for (let other = 0; other < first.length; other += 1) {
      if (one !== other) {
        const swapped = first.with(one, first[other] ?? '').with(other, first[one] ?? '');
        assert.is(seal.unseal('r-1', swapped.join('.')), undefined, `${one} and ${other}`);
      }
    }
    // Version and key are the same in both.
    if (one >= 2) assert.is(seal.unseal('r-1', first.with(one, second[one] ?? '').join('.')), undefined);
  }
  for (const id of ['r-1 ', 'R-1', 'r-11', 'r-', '', 'r-1\0']) {
    assert.is(seal.unseal(id, first.join('.')), undefined, id);
  }
});

test('opens what an older key sealed and seals with the newest', () => {
  const newKey = randomBytes(32);
  const rotated = createTokenSeal({ keys: [newKey, key] });
  assert.is(rotated.unseal('r-1', seal.seal('r-1', token)), token);
  assert.is(createTokenSeal({ keys: [newKey] }).unseal('r-1', rotated.seal('r-1', token)), token);
  assert.is(seal.unseal('r-1', rotated.seal('r-1', token)), undefined);
});

test('refuses to work with a key of the wrong length or with none, without telling the key', () => {
  assert.throws(() => createTokenSeal({ keys: [new Uint8Array(16)] }), /32 bytes/);
  assert.throws(() => createTokenSeal({ keys: [] }), /key/);
});

test.run();
