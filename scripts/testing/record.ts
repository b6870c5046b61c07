import { appendFileSync } from 'node:fs';
import type { TestEvent } from './events.js';

const variable = 'UVU_EVENTS_FILE';
const file = process.env[variable];
// The programs that a test starts must not write into its report.
delete process.env[variable];

export function eventsTo(path: string): Record<string, string> {
  return { [variable]: path };
}

/** Synchronous, because the next thing that happens may be the end of the process. */
export function record(event: TestEvent): void {
  if (file) appendFileSync(file, `${JSON.stringify(event)}\n`);
}
