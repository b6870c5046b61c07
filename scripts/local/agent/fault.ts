import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { AgentExit, exitCode } from './exit.js';
import type { Surroundings } from './surroundings.js';

/** How the local Batch tells this agent to misbehave (batch/task-faults.ts). No real agent or image knows of it. */
export const faultVariable = 'AZDO_LOCAL_FAULT';

const afterMs = z.number().min(0);
const Fault = z.discriminatedUnion('does', [
  z.object({ does: z.literal('neverRegister') }),
  z.object({ does: z.literal('registerLate'), afterMs }),
  z.object({ does: z.literal('exit'), exitCode: z.int() }),
  z.object({ does: z.literal('dieBeforeJob'), afterMs }),
  z.object({ does: z.literal('dieInJob'), afterMs }),
  z.object({ does: z.literal('skewClock'), seconds: z.number() }),
]);
export type AgentFault = z.infer<typeof Fault> | undefined;

export function readFault(env: Readonly<Record<string, string | undefined>>): AgentFault {
  const text = env[faultVariable] ?? '';
  if (text === '') return undefined;
  try {
    return Fault.parse(JSON.parse(text));
  } catch {
    throw new AgentExit(exitCode.terminated, `${faultVariable} is not a fault that this agent knows.`);
  }
}

/** The time by the clock of this node. */
export const nodeTime = (fault: AgentFault): number =>
  Date.now() + (fault?.does === 'skewClock' ? fault.seconds * 1_000 : 0);

/** Holds the agent off before it registers. @throws the signal's reason, when it is to end meanwhile. */
export async function beforeRegistration(
  fault: AgentFault,
  { shutdown, say }: Pick<Surroundings, 'shutdown' | 'say'>,
): Promise<void> {
  if (fault?.does === 'registerLate') await sleep(fault.afterMs, undefined, { signal: shutdown });
  if (fault?.does !== 'neverRegister') return;
  say('Told never to register.');
  while (!shutdown.aborted) await sleep(60_000, undefined, { signal: shutdown });
}

/** Dies when it is time to; @returns what calls that off. */
export function dieLater(
  fault: AgentFault,
  moment: 'dieBeforeJob' | 'dieInJob',
  die: () => void,
): () => void {
  if (fault?.does !== moment) return () => undefined;
  const timer = setTimeout(die, fault.afterMs);
  return () => clearTimeout(timer);
}
