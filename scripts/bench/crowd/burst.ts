import type { PartName } from '../../local/stack/plan.js';
import { ProcessMeter, type Usage } from '../process-meter.js';
import { auditCrowd, requestIdOf, type Verdict } from './audit.js';
import { findLeft, untilEnded } from './clean.js';
import { openCrowd } from './open.js';
import { playRuns, untilOver } from './play.js';
import { type Request, type Run, readRequests, readSeen, type Seen } from './records.js';

export interface Burst {
  readonly count: number;
  /** From the first pipeline's start until the last request had ended, all of it cleaned up. */
  readonly totalSeconds: number;
  /** For each request, since the burst began, in milliseconds; only those that got so far. */
  readonly since: Readonly<Record<Milestone, readonly number[]>>;
  /** Calls that were answered later than the real `AzureFunction@1` would have waited. */
  readonly late: number;
  /** From a pipeline's call to its Batch task, in milliseconds. */
  readonly toTaskMs: readonly number[];
  readonly verdict: Verdict & { readonly left: readonly string[] };
  /** Of the process of the app. */
  readonly memory: { readonly baselineMb: number; readonly peakMb: number };
  readonly cpuSeconds: Readonly<Partial<Record<PartName, number>>>;
}

/** In the order in which a request passes them. */
export const milestones = ['accepted', 'task', 'online', 'released', 'jobDone', 'ended'] as const;
export type Milestone = (typeof milestones)[number];

export interface BurstOptions {
  readonly folder: string;
  readonly count: number;
  readonly watchSeconds: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Lets so many pipelines ask our app for an agent at once, in a world of their own, and follows all to their ends. */
export async function playBurst({ folder, count, watchSeconds, signal, say }: BurstOptions): Promise<Burst> {
  const stack = await openCrowd({ app: 'ours', folder, agents: count, watchSeconds, signal });
  try {
    const meters = await Promise.all(
      stack.parts.map(async part => [part, await ProcessMeter.start(stack.pid(part))] as const),
    );
    const earlier = new Set((await readSeen(stack, [])).agents.map(({ name }) => name));
    const began = Date.now();
    const runIds = await playRuns(stack, count, signal);
    const stuck = await untilOver(stack, signal);
    if (stuck !== undefined) say(`nothing goes on any more; runs that are left: ${stuck}`);
    const alive = await untilEnded(stack, signal);
    if (alive > 0) say(`nothing goes on any more; requests that are left: ${alive}`);
    const usages = await Promise.all(
      meters.map(async ([part, meter]) => [part, await meter.stop()] as const),
    );

    const seen = await readSeen(stack, runIds);
    const requests = await readRequests(stack);
    const asked = new Set(seen.runs.map(({ request }) => request.requestId));
    const counted = requests.filter(({ requestId }) => asked.has(requestId));
    const since = milestonesOf(seen, counted, began);
    const app = memoryOf(meters, usages);
    return {
      count,
      totalSeconds: Math.max(0, ...since.ended) / 1_000,
      since,
      late: seen.runs.filter(isLate).length,
      toTaskMs: toTaskOf(seen),
      verdict: { ...auditCrowd(seen, counted, earlier), left: await findLeft(stack, signal) },
      memory: app,
      cpuSeconds: Object.fromEntries(
        usages.flatMap(([part, { cpuSeconds }]) => (cpuSeconds === undefined ? [] : [[part, cpuSeconds]])),
      ),
    };
  } finally {
    await stack.stop();
  }
}

/** How long `AzureFunction@1` waits. */
const functionTaskMs = 20_000;

const isLate = ({ startedAt, request: { answeredAt } }: Run): boolean =>
  startedAt !== null && answeredAt !== null && answeredAt - startedAt > functionTaskMs;

function memoryOf(
  meters: readonly (readonly [PartName, ProcessMeter])[],
  usages: readonly (readonly [PartName, Usage])[],
): Burst['memory'] {
  const meter = new Map(meters).get('host');
  const usage = new Map(usages).get('host');
  if (!meter || !usage) throw new Error('The app was not measured.');
  return { baselineMb: meter.baselineMb, peakMb: usage.peakMb };
}

function milestonesOf(seen: Seen, requests: readonly Request[], began: number): Burst['since'] {
  const ids = new Set(requests.map(({ requestId }) => requestId));
  const since = (times: readonly (number | null | undefined)[]): number[] =>
    times.flatMap(time => (time === null || time === undefined ? [] : [time - began]));
  const agents = seen.agents.filter(({ name }) => ids.has(requestIdOf(name)));
  return {
    accepted: since(seen.runs.map(({ request }) => request.answeredAt)),
    task: since(seen.tasks.filter(({ task }) => ids.has(requestIdOf(task))).map(({ addedAt }) => addedAt)),
    online: since(agents.map(({ sessions }) => sessions[0]?.openedAt)),
    released: since(seen.runs.map(({ request }) => request.completions.find(each => each.accepted)?.at)),
    jobDone: since(seen.runs.map(({ finishedAt }) => finishedAt)),
    ended: since(requests.map(({ endedAt }) => endedAt)),
  };
}

/** From the moment at which each pipeline's call left to that at which Batch took its task. */
export function toTaskOf({ runs, tasks }: Seen): readonly number[] {
  const addedAt = new Map(tasks.map(({ task, addedAt: at }) => [requestIdOf(task), at]));
  return runs.flatMap(({ startedAt, request }) => {
    const at = addedAt.get(request.requestId ?? '');
    return startedAt === null || at === undefined ? [] : [at - startedAt];
  });
}
