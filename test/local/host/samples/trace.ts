import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

/** Lets a test see what ran, across kills of the host. */
export function trace(line: string): void {
  appendFileSync(process.env['TRACE_FILE'] ?? '', `${line}\n`);
}

/** Waits until the test opens the gate. */
export async function gate(name: string): Promise<void> {
  while (!existsSync(join(process.env['GATES'] ?? '', name))) {
    await new Promise(resolve => {
      setTimeout(resolve, 10);
    });
  }
}
