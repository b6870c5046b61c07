import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';
import { playRuns, type Step, untilOver } from './play.js';
import { readSeen, type Seen } from './records.js';

/** A job that is busy until its run is cancelled. */
const endless: readonly Step[] = [
  { displayName: 'Build for long', script: 'node -e "setTimeout(() => {}, 3600000)"' },
];
/** While nobody waits, our watch looks this much more rarely. */
const calmFactor = 3;
const longestRunSeconds = 120;
const lookEveryMs = 50;

/**
 * Agents that come online at moments spread evenly over a watch interval, so that each phase of the watch is met alike.
 *
 * @returns what was seen of so many runs
 */
export async function spreadOverInterval(
  stack: Stack,
  count: number,
  watchSeconds: number,
  signal: AbortSignal,
): Promise<Seen> {
  const faults = Array.from({ length: count }, (_, index) => ({
    does: 'registerLate',
    afterMs: Math.round((index * watchSeconds * 1_000) / count),
    count: 1,
  }));
  await control(stack, 'batch', 'PUT', '/task-faults', faults);
  const runIds = await playRuns(stack, count, signal);
  const left = await untilOver(stack, signal);
  if (left !== undefined) throw new Error(`Not every pipeline came through: ${left}.`);
  return readSeen(stack, runIds);
}

/** Requests one after the other, when nothing else happens. */
export async function oneByOne(stack: Stack, count: number, signal: AbortSignal): Promise<Seen> {
  const runIds: string[] = [];
  for (let done = 0; done < count; done += 1) runIds.push(await playOne(stack, signal));
  return readSeen(stack, runIds);
}

/** Requests one after the other, at any moment, while an agent works on a long job and nobody else waits. */
export async function besideOneThatWorks(
  stack: Stack,
  count: number,
  watchSeconds: number,
  signal: AbortSignal,
): Promise<Seen> {
  const [busy = ''] = await playRuns(stack, 1, signal, endless);
  try {
    while ((await jobState(stack, busy)) !== 'running') await sleep(lookEveryMs, undefined, { signal });
    const runIds: string[] = [];
    for (let done = 0; done < count; done += 1) {
      // Until the watch has seen that nobody waits any more, and then some part of its long round.
      const rounds = 1 + calmFactor * (1 + done / count);
      await sleep(rounds * watchSeconds * 1_000, undefined, { signal });
      runIds.push(await playOne(stack, signal));
    }
    return await readSeen(stack, runIds);
  } finally {
    await control(stack, 'devops', 'POST', `/runs/${busy}/cancel`, {});
  }
}

async function playOne(stack: Stack, signal: AbortSignal): Promise<string> {
  const [runId = ''] = await playRuns(stack, 1, signal);
  const run = await control(stack, 'devops', 'GET', `/runs/${runId}?wait=${longestRunSeconds}`);
  const { state } = z.looseObject({ state: z.string() }).parse(run);
  if (state !== 'completed') throw new Error(`${runId} is still ${state} after ${longestRunSeconds} s.`);
  return runId;
}

async function jobState(stack: Stack, runId: string): Promise<string | undefined> {
  const run = await control(stack, 'devops', 'GET', `/runs/${runId}`);
  return z.looseObject({ job: z.looseObject({ state: z.string() }).nullable() }).parse(run).job?.state;
}

async function control(
  stack: Stack,
  part: 'batch' | 'devops',
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${stack.url(part)}/_local${path}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * From the moment at which each agent went online to that at which its pipeline was released, in milliseconds.
 *
 * @throws when one of the pipelines was not released, or its agent was never online.
 */
export function releaseTimes({ runs, agents }: Seen): readonly number[] {
  const onlineAt = new Map(agents.map(({ name, sessions }) => [name, sessions[0]?.openedAt]));
  return runs.map(({ runId, job, request }) => {
    const online = onlineAt.get(job?.agentName ?? '');
    const released = request.completions.find(
      ({ accepted, result }) => accepted && result === 'succeeded',
    )?.at;
    if (online === undefined || released === undefined) throw new Error(`${runId} was not released.`);
    return released - online;
  });
}
