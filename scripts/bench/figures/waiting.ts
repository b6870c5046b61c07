import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';
import { names } from '../contenders/monitor/contract.js';
import { type Calls, callsBetween, readCalls, sum } from '../counting/counts.js';
import { Executions } from '../counting/executions.js';
import { holdNodes } from '../counting/nodes.js';
import { plans } from '../counting/plans.js';
import { round2 } from '../counting/request-cost.js';
import { countWaiting, seedWaiting } from '../counting/seed-waiting.js';
import type { Bench, Cell, Curve, Figure, Goal } from '../figure.js';
import { until } from '../until.js';
import { type AppName, openWorld } from '../world.js';

/** At its usual pace of 5 s the watch looks, and the monitor's requests look, this often in a minute. */
const looksPerMinute = 12;
/** One of so many rounds asks the Batch pool how it is. */
const roundsCounted = 6;
/** From this on requests are seeded: what is asked for takes its time. */
const seededFrom = 1_000;
/** What this machine can do of one request each. */
const looksPerSecond = 40;
const crowd = 1_000;
const askedAtOnce = 16;

interface Point {
  readonly contender: 'ours' | 'monitor';
  readonly waiting: number;
  readonly how: 'asked for' | 'seeded' | 'modelled';
  /** Calls of one look: at the pool for ours, at one request for the monitor. */
  readonly devOps: number;
  readonly batch: number;
  /** Looks in a minute at the usual pace. */
  readonly looks: number;
}

/** Calls to Azure DevOps and to Batch while requests only wait: no node comes. */
export const waiting: Figure = {
  name: 'waiting',
  measure: async bench => {
    const [ours, monitor] = await Promise.all([measureOurs(bench), measureMonitor(bench)]);
    const points = [...ours, ...monitor];
    return {
      title: 'Calls a minute while requests wait, at the usual pace of one look in 5 s',
      columns: [
        { key: 'contender', title: 'contender' },
        { key: 'waiting', title: 'waiting' },
        { key: 'how', title: 'requests are' },
        { key: 'devops', title: 'Azure DevOps', unit: '/min' },
        { key: 'batch', title: 'Batch', unit: '/min' },
        { key: 'lookDevops', title: 'Azure DevOps calls a look' },
        { key: 'lookBatch', title: 'Batch calls a look' },
      ],
      rows: points.map(rowOf),
      goals: goalsOf(points),
      curves: [
        curveOf('waiting-devops', 'Calls to Azure DevOps while requests wait', points, devOpsPerMinute),
        curveOf('waiting-batch', 'Calls to Batch while requests wait', points, batchPerMinute),
      ],
      notes: [
        `Looks are counted exactly, ${roundsCounted} rounds of ours each time, and told at the usual pace. A look of ours ` +
          'is at a whole pool, one of the monitor at one request.',
        'Batch lists at most 1,000 tasks in one answer. Now and then ours also asks the Batch pool how it is, which is in it.',
        'No pipeline waits for these requests. Each one that waits is told a line every 40 s, at most 25 lines a second in ' +
          'all, on the routes of its own run; what one request takes of them is counted there.',
        'The monitor was run with longer pauses where so many requests would ask too much of this machine.',
      ],
    };
  },
};

async function measureOurs(bench: Bench): Promise<readonly Point[]> {
  const { signal } = bench;
  const { watch, perRequest } = plans.ours;
  const round = watch?.round ?? '';
  const asked = perRequest?.asked ?? '';
  // A look at a crowd takes its time; where there is none, nobody should have to wait for the next.
  const seconds = bench.scale.waiting.includes(crowd) ? 1 : 0.3;
  return inWorld('ours', 'waiting-ours', seconds, bench, async (stack, executions) => {
    const points: Point[] = [];
    let there = 0;
    let jobId: string | undefined;
    for (const [index, count] of bench.scale.waiting.entries()) {
      const isLast = index === bench.scale.waiting.length - 1;
      const seeded = jobId !== undefined && (count >= seededFrom || isLast);
      if (jobId !== undefined && seeded) {
        await seedWaiting(stack, jobId, there, count - there, signal);
      } else {
        const first = await ask(stack, count - there, signal);
        await until('all to have a task', () => executions.of(asked) >= count, signal);
        jobId ??= await jobOf(stack, first);
      }
      there = count;
      // The round that goes on may have begun without them.
      await executions.next(round, signal);
      await executions.next(round, signal);
      const before = { calls: await readCalls(stack, 'ours'), rounds: executions.of(round) };
      for (let each = 0; each < roundsCounted; each += 1) await executions.next(round, signal);
      const calls = callsBetween(before.calls, await readCalls(stack, 'ours'));
      const still = await countWaiting(stack);
      if (still !== count) throw new Error(`${still} requests waited in place of ${count}.`);
      const how = seeded ? 'seeded' : 'asked for';
      points.push({
        contender: 'ours',
        waiting: count,
        how,
        ...perLook(calls, executions.of(round) - before.rounds),
        looks: looksPerMinute,
      });
      bench.say(`ours: ${count} wait (${how}); counted ${roundsCounted} rounds`);
    }
    return points;
  });
}

async function measureMonitor(bench: Bench): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const count of bench.scale.waiting.filter(each => each <= bench.scale.monitorWaiting)) {
    points.push(await measureMonitorWith(count, bench));
  }
  const last = points.at(-1);
  if (!last) return points;
  const { devOps, batch } = last;
  const modelled = bench.scale.waiting.filter(each => each > bench.scale.monitorWaiting);
  return [
    ...points,
    ...modelled.map(
      (count): Point => ({
        contender: 'monitor',
        waiting: count,
        how: 'modelled',
        devOps,
        batch,
        looks: count * looksPerMinute,
      }),
    ),
  ];
}

/** A world for each number: how often its requests look is said when they begin. */
async function measureMonitorWith(count: number, bench: Bench): Promise<Point> {
  const { signal } = bench;
  const { asked = '' } = plans.monitor.perRequest ?? {};
  const seconds = Math.max(1, count / looksPerSecond);
  return inWorld('monitor', `waiting-monitor-${count}`, seconds, bench, async (stack, executions) => {
    await ask(stack, count, signal);
    await until('all to have a task', () => executions.of(asked) >= count, signal);
    // What the app asks once, at its first look, is over.
    await executions.next(names.look, signal);
    const look = async () => {
      await betweenLooks(executions, signal);
      return { calls: await readCalls(stack, 'monitor'), looks: executions.of(names.look) };
    };
    const before = await look();
    await sleep(Math.max(3, seconds) * 1_000, undefined, { signal });
    const after = await look();
    bench.say(`monitor: ${count} wait; counted ${after.looks - before.looks} looks`);
    return {
      contender: 'monitor',
      waiting: count,
      how: 'asked for',
      ...perLook(callsBetween(before.calls, after.calls), after.looks - before.looks),
      looks: count * looksPerMinute,
    };
  });
}

/** The calls of a look that goes on are counted already, and the look is not yet. A crowd always looks: then a few do not matter. */
async function betweenLooks(executions: Executions, signal: AbortSignal): Promise<void> {
  const giveUpAt = Date.now() + 3_000;
  for (let last = -1; last !== executions.of(names.look) && Date.now() < giveUpAt; ) {
    last = executions.of(names.look);
    await sleep(150, undefined, { signal });
  }
}

async function inWorld<T>(
  app: AppName,
  folder: string,
  watchSeconds: number,
  bench: Bench,
  work: (stack: Stack, executions: Executions) => Promise<T>,
): Promise<T> {
  const executions = new Executions();
  const stack = await openWorld({
    app,
    folder: bench.folder(folder),
    signal: bench.signal,
    onEvent: executions.onEvent,
    settings: {
      WatchSeconds: String(watchSeconds),
      // It would give the seeded requests the orchestrations that they lack, and has calls of its own.
      'AzureWebJobs.reconcile.Disabled': 'true',
      'AzureWebJobs.drainPoison.Disabled': 'true',
    },
  });
  try {
    await holdNodes(stack);
    return await work(stack, executions);
  } finally {
    await stack.stop();
  }
}

const Asked = z.object({ requestId: z.string() });
const Placed = z.object({ batch: z.object({ jobId: z.string() }) });

/** @returns the id of the first. */
async function ask(stack: Stack, count: number, signal: AbortSignal): Promise<string> {
  const limit = pLimit(askedAtOnce);
  const ids = await Promise.all(
    Array.from({ length: count }, async () =>
      limit(async () => Asked.parse(await call(stack, 'POST', '', signal))),
    ),
  );
  return ids[0]?.requestId ?? '';
}

const jobOf = async (stack: Stack, requestId: string): Promise<string> =>
  Placed.parse(await call(stack, 'GET', `/${requestId}`, AbortSignal.timeout(30_000))).batch.jobId;

async function call(stack: Stack, method: string, path: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(`${stack.url('host')}/api/agents${path}`, {
    method,
    headers: { 'x-functions-key': stack.functionKey, 'content-type': 'application/json' },
    ...(method === 'POST' && { body: '{}' }),
    signal,
  });
  if (!response.ok) throw new Error(`${method} /api/agents was answered ${response.status}.`);
  return response.json();
}

function perLook(
  { devops, batch }: Calls,
  looks: number,
): { readonly devOps: number; readonly batch: number } {
  if (looks === 0) throw new Error('Nobody looked while the calls were counted.');
  return { devOps: sum(devops) / looks, batch: sum(batch) / looks };
}

const devOpsPerMinute = ({ devOps, looks }: Point): number => devOps * looks;
const batchPerMinute = ({ batch, looks }: Point): number => batch * looks;

const rowOf = (point: Point): Readonly<Record<string, Cell>> => ({
  contender: point.contender,
  waiting: point.waiting,
  how: point.how,
  devops: Math.round(devOpsPerMinute(point)),
  batch: Math.round(batchPerMinute(point)),
  lookDevops: round2(point.devOps),
  lookBatch: round2(point.batch),
});

/** Goals are for a crowd; a scale without one is there to see that everything still runs. */
function goalsOf(points: readonly Point[]): readonly Goal[] {
  const of = (contender: Point['contender'], count: number): number | undefined => {
    const point = points.find(each => each.contender === contender && each.waiting === count);
    return point && devOpsPerMinute(point);
  };
  const one = of('ours', 1);
  const many = of('ours', crowd);
  const theirs = of('monitor', crowd);
  if (one === undefined || many === undefined || theirs === undefined) return [];
  return [
    {
      text: 'Azure DevOps calls/min with 1,000 waiting: at most 1.1 × those with 1',
      measured: `${round2(many / one)} ×`,
      holds: many <= 1.1 * one,
    },
    {
      text: 'the monitor’s with 1,000 waiting: at least 100 × ours',
      measured: `${Math.round(theirs / many)} ×`,
      holds: theirs >= 100 * many,
    },
  ];
}

const curveOf = (
  name: string,
  title: string,
  points: readonly Point[],
  perMinute: (point: Point) => number,
): Curve => ({
  name,
  title,
  x: { title: 'requests that wait', log: true },
  y: { title: 'calls/min', log: true },
  series: (['ours', 'monitor'] as const).map(contender => ({
    name: contender,
    points: points
      .filter(point => point.contender === contender)
      .map(point => ({ x: point.waiting, y: perMinute(point) })),
  })),
});
