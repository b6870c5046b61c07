import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { retryDelay, withRetries } from '../../../scripts/local/host/function-retry.js';

const delays = suite('retryDelay of functions');
delays('is fixed, or doubles from the minimum to the maximum', () => {
  assert.is(retryDelay({ delayInterval: { seconds: 3 } }, 4), 3_000);
  const backoff = { minimumInterval: { seconds: 1 }, maximumInterval: { seconds: 5 } };
  assert.equal(
    [1, 2, 3, 4].map(count => retryDelay(backoff, count)),
    [1_000, 2_000, 4_000, 5_000],
  );
});
delays.run();

const retries = suite('withRetries');
const failing = (times: number) => {
  const seen: unknown[] = [];
  return {
    seen,
    run: async (retry: unknown) => {
      seen.push(retry);
      if (seen.length <= times) throw new Error(`failure ${seen.length}`);
    },
  };
};
const options = { maxRetryCount: 2, delayInterval: { seconds: 0 } };
retries('tell the function which attempt it is and why', async () => {
  const { seen, run } = failing(2);
  await withRetries(options, run);
  assert.equal(seen, [
    undefined,
    { retryCount: 1, maxRetryCount: 2, exception: { message: 'failure 1' } },
    { retryCount: 2, maxRetryCount: 2, exception: { message: 'failure 2' } },
  ]);
});
retries('end with the last failure, and are none without options', async () => {
  for (const [given, attempts] of [
    [options, 3],
    [undefined, 1],
  ] as const) {
    const { seen, run } = failing(99);
    try {
      await withRetries(given, run);
      assert.unreachable('it succeeded');
    } catch (error) {
      assert.is(error instanceof Error && error.message, `failure ${attempts}`);
    }
    assert.is(seen.length, attempts);
  }
});
retries.run();
