import type { Log, LogFields } from '../ports.js';

/** What can't be helped now must not keep the others from being helped. */
export async function unhindered(
  log: Log,
  what: string,
  action: () => Promise<void>,
  fields?: LogFields,
): Promise<void> {
  try {
    await action();
  } catch (error) {
    log.error(`${what}: ${error instanceof Error ? error.message : String(error)}`, fields);
  }
}
