import { setTimeout as sleep } from 'node:timers/promises';

const patienceMs = 180_000;
const everyMs = 50;

/**
 * Waits until `look` is satisfied.
 *
 * @param what completes the sentence "Waited in vain for …"
 * @throws after three minutes, or when the bench is called off
 */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${what} (${patienceMs / 1_000} s).`);
    await sleep(everyMs, undefined, { signal });
  }
}
