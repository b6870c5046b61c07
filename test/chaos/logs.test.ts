import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLog } from '../../scripts/chaos/logs.js';

const logs = suite('what the parts print');

logs('may tell of a failure of ours, with its stack', () => {
  const text = [
    '2026-01-01T09:00:00.000Z Error Function.watchPool [b6d9f84a] TransientError: BatchUnavailable (createTask): Azure Batch answered 503.',
    '    at unavailable (/app/shared/adapters/batch-errors.ts:61:12)',
    '    at async Promise.all (index 0)',
    '2026-01-01T09:00:01.000Z Information Host Executed',
  ];
  assert.equal(auditLog('host', text.join('\n')), []);
});

for (const [what, text] of [
  ['an error that nobody handled', 'Unhandled rejection: Error: x'],
  ['a raw error of an SDK', 'RestError: The request failed'],
  ['a stack trace', "TypeError: Cannot read properties of undefined (reading 'x')\n    at f (/app/x.js:1:2)"],
] as const) {
  logs(`may not hold ${what}`, () => {
    const [found = ''] = auditLog('host', `before\n${text}\nafter`);
    assert.match(found, `The host printed ${what}`);
  });
}

logs.run();
