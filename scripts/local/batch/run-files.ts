import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as z from 'zod';

import { ProcessIdentity } from './records.js';
import { failure, type RunOutcome } from './task-outcome.js';

/** What a run's wrapper told in its folder. Each file is written whole or not at all. */

const Started = z.object({ ...ProcessIdentity.shape, at: z.string() });
export type Started = z.infer<typeof Started>;

const Exited = z.object({
  exitCode: z.int().nullish(),
  signal: z.string().optional(),
  error: z.string().optional(),
  at: z.string(),
});

export const readStarted = (runDir: string): Started | undefined =>
  read(join(runDir, 'started.json'), Started);

/** How the run ended; `gone` when its wrapper did not live to tell. */
export function readOutcome(runDir: string, argv0 = 'The program'): RunOutcome {
  const exited = read(join(runDir, 'exit.json'), Exited);
  if (!exited) return { kind: 'gone' };
  const { at, error, signal, exitCode } = exited;
  if (error !== undefined) {
    const code = error === 'ENOENT' ? 'CommandProgramNotFound' : 'CommandLaunchFailed';
    return { kind: 'notStarted', failure: failure(code, `${argv0} could not be started: ${error}.`), at };
  }
  return { kind: 'exit', exitCode: exitCode ?? 128 + signalNumber(signal), at };
}

/** Shells tell a death by signal as 128 + its number; these are the ones that end tasks. */
const signalNumber = (name: string | undefined): number =>
  ({ SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 })[name ?? ''] ?? 0;

function read<S extends z.ZodType>(file: string, schema: S): z.output<S> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  return schema.parse(JSON.parse(text));
}
