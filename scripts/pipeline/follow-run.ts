import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';

const Run = z.looseObject({
  runId: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  log: z.array(z.string()),
  issues: z.array(z.looseObject({ type: z.string(), message: z.string() })).default([]),
});

/** Quick enough for eyes, rare enough for a machine that is busy with the run itself. */
const lookEveryMs = 300;

/**
 * Follows a run to its end.
 *
 * @param show gets each line of its log, once, and whether an issue of the run says the same
 * @param signal ends the run as cancelled
 */
export async function followRun(
  devopsUrl: string,
  runId: string,
  show: (line: string, isIssue: boolean) => void,
  signal: AbortSignal,
): Promise<string> {
  const url = `${devopsUrl}/_local/runs/${runId}`;
  const shown = new Map<string, number>();
  const cancel = (): void => void fetch(`${url}/cancel`, { method: 'POST' }).catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      const response = await fetch(url);
      if (!response.ok) throw new Error(`The run ${runId} can't be read: ${await response.text()}`);
      const run = Run.parse(await response.json());
      // By count: lines that came later may belong between those that are shown.
      const seen = new Map<string, number>();
      for (const line of run.log) {
        const count = (seen.get(line) ?? 0) + 1;
        seen.set(line, count);
        if (count > (shown.get(line) ?? 0))
          show(
            line,
            run.issues.some(issue => line.endsWith(issue.message)),
          );
      }
      for (const [line, count] of seen) shown.set(line, count);
      if (run.state === 'completed') return run.result ?? 'unknown';
      await pause(lookEveryMs);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
