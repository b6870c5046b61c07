import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../../local/stack/stack.js';
import { until } from '../until.js';
import type { AppName } from '../world.js';
import { type Calls, type Counts, callsBetween, difference, readCalls } from './counts.js';
import type { Executions } from './executions.js';
import { type InstanceCost, instanceCosts } from './histories.js';
import { freeNodes, holdNodes, nodeCount } from './nodes.js';
import { requestIdOf, startRun, untilSucceeded } from './pipelines.js';
import { plans } from './plans.js';

/** Everything that happened in a part of the time. */
export interface Happened {
  readonly calls: Calls;
  /** Functions that ran, by name. */
  readonly executions: Counts;
}

export interface Followed {
  readonly requests: number;
  /** From the first call to the end of what the last request needed. */
  readonly all: Happened;
  /** While all of them only waited for their agents, from the end of a round of the watch to the end of another. */
  readonly waiting: Happened;
  /** Rounds of the watch while some request had an agent to look for: those that ask the services. */
  readonly rounds: number;
  /** The orchestration of each request. */
  readonly instances: readonly InstanceCost[];
}

export interface Following {
  readonly stack: Stack;
  readonly app: AppName;
  readonly executions: Executions;
  readonly requests: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** So long nothing more of the requests has to be heard of before they count as being at rest. */
const restMs = 600;

/**
 * Lets so many played pipelines ask for agents at once, keeps the agents from them for a while, and follows everything
 * to its end, by counts alone: asking the app how things stand would be counted, too.
 */
export async function followRequests(following: Following): Promise<Followed> {
  const { stack, app, executions, requests, waitMs, signal } = following;
  const { perRequest, watch } = plans[app];
  await holdNodes(stack);
  await until('the nodes to go', async () => (await nodeCount(stack)) === 0, signal);

  const happened = await chronicle(following);
  const runs = await Promise.all(Array.from({ length: requests }, async () => startRun(stack, app)));
  const ids = await Promise.all(runs.map(async run => answered(following, run)));
  let waiting: Happened = { calls: { storage: {}, batch: {}, devops: {} }, executions: {} };
  let firstRound = 0;
  if (perRequest) {
    await until('the requests to wait', () => happened.times(perRequest.asked) >= requests, signal);
    if (watch) firstRound = executions.of(watch.round);
    await untilAtRest(following);
  }
  if (watch) {
    await executions.next(watch.round, signal);
    const before = await happened.sofar();
    await sleep(waitMs, undefined, { signal });
    await executions.next(watch.round, signal);
    const after = await happened.sofar();
    waiting = between(before, after);
  } else {
    await sleep(waitMs, undefined, { signal });
  }

  await freeNodes(stack, requests);
  await Promise.all(runs.map(async run => untilSucceeded(stack, run, signal)));
  let lastRound = 0;
  if (perRequest) {
    await until('everything to be tidied up', () => happened.times(perRequest.tidied) >= requests, signal);
    if (watch) lastRound = executions.of(watch.round);
    await untilAtRest(following);
  }
  const all = await happened.sofar();
  const instances = perRequest ? await instanceCosts(stack, ids) : [];
  return { requests, all, waiting, rounds: lastRound - firstRound, instances };
}

const between = (before: Happened, after: Happened): Happened => ({
  calls: callsBetween(before.calls, after.calls),
  executions: difference(after.executions, before.executions),
});

/** What has happened since now. */
async function chronicle({ stack, app, executions }: Following): Promise<{
  sofar(): Promise<Happened>;
  times(name: string): number;
}> {
  const now = async (): Promise<Happened> => ({
    calls: await readCalls(stack, app),
    executions: executions.counts(),
  });
  const start = await now();
  return {
    sofar: async () => between(start, await now()),
    times: name => executions.of(name) - (start.executions[name] ?? 0),
  };
}

async function answered({ stack, signal }: Following, runId: string): Promise<string> {
  let id: string | undefined;
  await until(
    `the answer to ${runId}`,
    async () => {
      id = await requestIdOf(stack, runId);
      return id !== undefined;
    },
    signal,
  );
  return id ?? '';
}

/** One that looks for itself never rests; then only what it does once is listened to. */
async function untilAtRest({ app, executions, signal }: Following): Promise<void> {
  const { perRequest, watch } = plans[app];
  if (!perRequest) return;
  const busy = watch ? perRequest.activities : [perRequest.asked, perRequest.tidied];
  const heard = (): number => busy.reduce((all, name) => all + executions.of(name), 0);
  let last = heard();
  let since = Date.now();
  await until(
    'the requests to be at rest',
    () => {
      const now = heard();
      if (now !== last) since = Date.now();
      last = now;
      return Date.now() - since >= restMs;
    },
    signal,
  );
}
