import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransientError } from '../../shared/domain/failure.js';
import { decodeInput } from '../../shared/workflow/contract.js';
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

watch('makes a long pause only while nobody waits, and whoever comes ends it', async () => {
  const calm = { watchPool: () => ({ alive: 1, nextMs: 15_000, calm: true, told: {} }) };
  const undisturbed = await replay(poolWatch, { input, activities: calm });
  assert.ok(undisturbed.seconds >= 15 && undisturbed.seconds < 16);
  const woken = await replay(poolWatch, {
    input,
    activities: calm,
    events: [{ at: 4, name: 'wake', data: {} }],
  });
  assert.ok(woken.seconds >= 4 && woken.seconds < 5, `${woken.seconds} s`);
  assert.equal(woken.continuedWith, undisturbed.continuedWith);
  assert.is(woken.openTimers, 0);

  const busy = await replay(poolWatch, {
    input,
    activities: { watchPool: () => ({ alive: 1, nextMs: 5_000, told: {} }) },
    events: [{ at: 2, name: 'wake', data: {} }],
  });
  assert.ok(busy.seconds >= 5 && busy.seconds < 6, 'a short pause is not cut shorter');
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

watch(
  'remembers when it looked, also over a round that failed, and comes back when it was asked to',
  async () => {
    const memory = { lookedAt: 1_770_000_000_000, batchPools: { linux: { askedAt: 1_770_000_000_000 } } };
    const first = await replay(poolWatch, {
      input,
      activities: { watchPool: () => ({ alive: 1, nextMs: 5_000, told: {}, memory }) },
    });
    assert.is(decodeInput.watchPool(first.calls[0]?.input).memory, undefined);
    const second = await replay(poolWatch, {
      input: first.continuedWith,
      activities: {
        watchPool: () => {
          throw new TransientError('AzDOThrottled', 'registration', 'Less often.', 120_000);
        },
      },
    });
    assert.equal(decodeInput.watchPool(second.calls[0]?.input).memory, {
      ...memory,
      batchPools: { linux: { askedAt: 1_770_000_000_000, problem: undefined } },
    });
    assert.ok(second.seconds >= 3 * 120, `three tries and the pause took ${second.seconds} s`);
    assert.match(JSON.stringify(second.continuedWith), /"memory":\{"lookedAt":1770000000000/);
  },
);

watch.run();
