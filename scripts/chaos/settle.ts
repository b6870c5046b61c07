import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import { call } from './call.js';
import { collectLeftovers, waitingMessages } from './collect.js';
import type { Pulse } from './pulse.js';

/** A run's job may still be running when its request has ended: it ends with its agent's lock at the latest. */
const runsGraceMs = 15_000;
/** What ends by itself a little later than the last request: watches, agents on their way out. */
const leftoversGraceMs = 40_000;

/**
 * Waits until no request lives, twice in a row: a message that is still hidden in the queue brings another.
 *
 * @returns false when the time was up before.
 */
export async function untilNothingLives(stack: Stack, pulse: Pulse, until: number): Promise<boolean> {
  for (let quiet = 0; quiet < 3; ) {
    if (Date.now() > until) return false;
    await pulse.next();
    const waiting = await waitingMessages(stack);
    quiet = pulse.live === 0 && waiting.length === 0 ? quiet + 1 : 0;
  }
  return true;
}

const Runs = z.array(
  z.looseObject({
    runId: z.string(),
    state: z.string(),
    job: z.looseObject({ state: z.string() }).nullable(),
  }),
);
/** Nobody is left to tell it anything, or to run its job. */
const isStuck = ({ state, job }: z.infer<typeof Runs>[number]): boolean =>
  state === 'waiting' || (state === 'running' && job?.state === 'queued');

/**
 * Lets the runs end and cancels those that can't: a job whose agent was taken back waits for ever.
 *
 * @returns the runs that were cancelled.
 */
export async function endRuns(stack: Stack): Promise<ReadonlySet<string>> {
  const url = `${stack.url('devops')}/_local/runs`;
  const open = async () =>
    Runs.parse((await call('GET', url)).json).filter(({ state }) => state !== 'completed');
  const until = Date.now() + runsGraceMs;
  while (Date.now() < until && !(await open()).every(isStuck)) await sleep(500);
  const left = (await open()).map(({ runId }) => runId);
  for (const runId of left) await call('POST', `${url}/${runId}/cancel`);
  return new Set(left);
}

/** What is left, once what ends by itself has had the time to. */
export async function lastLeftovers(stack: Stack): Promise<readonly string[]> {
  const until = Date.now() + leftoversGraceMs;
  for (;;) {
    const left = await collectLeftovers(stack);
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(1_000);
  }
}
