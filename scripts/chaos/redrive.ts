import type { Stack } from '../local/stack/stack.js';

export interface Redriven {
  readonly redriven: number;
  readonly purged: number;
  readonly findings: readonly string[];
}

/**
 * Sends every dead letter on its way again, now that nothing fails any more; what can't be understood is purged.
 * There is no way to do so yet.
 */
export async function redriveAll(_stack: Stack): Promise<Redriven> {
  return { redriven: 0, purged: 0, findings: [] };
}
