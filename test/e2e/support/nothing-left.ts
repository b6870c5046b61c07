import * as assert from 'uvu/assert';
import { findLeftovers } from '../../../scripts/demo/leftovers.js';
import type { Stack } from '../../../scripts/local/stack/stack.js';
import { waitFor } from '../../support/wait-for.js';

/**
 * Fails when anything of the requests is still there once they have ended: the end is written last, so whoever has
 * seen it may rely on the rest. Only messages may take longer: one that was delivered twice comes again once more.
 */
export async function nothingLeft(stack: Stack): Promise<void> {
  const isMessage = (left: string): boolean => left.startsWith('Queue agent-requests still');
  const left = await findLeftovers(stack);
  assert.equal(
    left.filter(each => !isMessage(each)),
    [],
  );
  if (!left.some(isMessage)) return;
  await waitFor('the queue to be empty', async () => (await findLeftovers(stack)).length === 0, {
    timeoutMs: 15_000,
    everyMs: 200,
  });
}
