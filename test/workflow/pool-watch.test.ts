import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { poolWatch } from '../../shared/workflow/pool-watch.js';
import { replay } from './replay.js';

const input = { devOpsPool: 'P', told: {}, emptyRounds: 0 };
const watch = suite('poolWatch');

watch('looks once, waits its interval, and begins anew with what it told', async () => {
  const told = { r1: { what: 'agentOnline#1', rounds: 0 } };
  const run = await replay(poolWatch, {
    input,
    activities: { watchPool: () => ({ alive: 1, nextMs: 5_000, told }) },
  });
  assert.is(run.calls.length, 1);
  assert.equal(run.continuedWith, { devOpsPool: 'P', told, emptyRounds: 0 });
  assert.ok(run.seconds >= 5 && run.seconds < 6);
});

watch('ends only when nothing was alive twice in a row', async () => {
  const nothing = { watchPool: () => ({ alive: 0, nextMs: 5_000, told: {} }) };
  const first = await replay(poolWatch, { input, activities: nothing });
  assert.equal(first.continuedWith, { devOpsPool: 'P', told: {}, emptyRounds: 1 });
  const second = await replay(poolWatch, { input: first.continuedWith, activities: nothing });
  assert.is(second.continuedWith, undefined);
  assert.is(second.error, undefined);
});

watch('outlives a service that is away, and does not count that as emptiness', async () => {
  const run = await replay(poolWatch, {
    input: { ...input, emptyRounds: 1 },
    activities: {
      watchPool: () => {
        throw new Error('AzDOUnavailable (registration): away');
      },
    },
  });
  assert.is(run.calls.length, 3);
  assert.equal(run.continuedWith, { devOpsPool: 'P', told: {}, emptyRounds: 0 });
});

watch.run();
