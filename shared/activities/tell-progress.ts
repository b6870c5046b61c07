import { admission } from '../domain/admission.js';
import type { Failure } from '../domain/failure.js';
import { pipelineLog, type Waiting } from '../domain/pipeline-log.js';
import { isDue, progressPeriodMs } from '../domain/progress.js';
import type { AgentRequest } from '../domain/request.js';
import type { TaskView } from '../domain/situation.js';
import { inBatches } from '../in-batches.js';
import type { LiveRequest } from '../ports.js';
import type { WatchMemory } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';
import { listedRequest } from './listed-request.js';
import { noteOnce } from './note-once.js';
import type { RunOver } from './tell-started.js';
import { tellPipeline } from './waiting-pipeline.js';

/** A run that was cancelled has to be noticed within a minute, however slowly the pool is looked at otherwise. */
export const longestRoundMs = 20_000;
/** Telling must not keep the next look from its time; whose turn is missed has another one. */
const tellForMs = 10_000;
const atOnce = 32;

export interface Progress {
  readonly requests: readonly LiveRequest[];
  /** By id: those that were told something in this very round. */
  readonly toldNow: { has(requestId: string): boolean };
  /** By lower-case id. */
  readonly tasks: ReadonlyMap<string, TaskView>;
  readonly batchPools: WatchMemory['batchPools'];
  /** When the look before this one was, in milliseconds since the epoch. */
  readonly since: number | undefined;
}

const isWaiting = ({ state }: LiveRequest): boolean =>
  state === 'accepted' || state === 'provisioning' || state === 'starting';

/** Whether somebody waits who has to hear of us. */
export const somebodyWaits = (requests: readonly LiveRequest[]): boolean =>
  requests.some(request => request.pipelineWaits && isWaiting(request));

/**
 * Tells the pipelines that wait, each in its turn, how far their agents are, and writes down what keeps a Batch pool
 * from running them. What a pipeline answers tells whether its run is still there.
 *
 * @returns runs that are over.
 */
export async function tellProgress(
  dependencies: Pick<Dependencies, 'store' | 'pipeline' | 'seal' | 'clock' | 'config' | 'log'>,
  { requests, toldNow, tasks, batchPools, since }: Progress,
): Promise<readonly RunOver[]> {
  const { clock, config, log } = dependencies;
  const now = clock.now().getTime();
  const concerned = requests
    .filter(isWaiting)
    .filter(request => request.pipelineWaits || problemOf(request, batchPools) !== undefined);
  const periodMs = progressPeriodMs(concerned.length, config.watchSeconds * 1_000);
  if (since === undefined) return [];
  const due = concerned.filter(
    ({ requestId }) => !toldNow.has(requestId) && isDue(requestId, periodMs, since, now),
  );
  if (due.length === 0) return [];

  const taskOf = ({ batch }: LiveRequest): TaskView | undefined =>
    tasks.get(batch?.taskId.toLowerCase() ?? '');
  const ahead = countAhead(requests.filter(request => taskOf(request)?.state === 'active'));
  const over: RunOver[] = [];
  await inBatches(due, atOnce, async request => {
    if (clock.now().getTime() - now > tellForMs) return;
    const { requestId, attempt } = request;
    try {
      const problem = problemOf(request, batchPools);
      const row = await withNote(dependencies, request, problem, clock.now().toISOString());
      if (row?.attempt !== attempt || row.state !== request.state) return;
      const task = taskOf(request)?.state;
      const place = placeOf(config, row, requests);
      const waiting = { task, problem, place, ahead: ahead.get(requestId) ?? 0 };
      const answer = await tellPipeline(dependencies, row, pipelineLog.waiting(row, waiting, now));
      if (typeof answer === 'object') {
        over.push({ requestId, situation: { kind: 'runOver', attempt, reason: answer.planOver } });
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`Request ${requestId}: its progress could not be told: ${why}`, { requestId, attempt });
    }
  });
  return over;
}

const problemOf = (
  { state, batch }: LiveRequest,
  batchPools: WatchMemory['batchPools'],
): Failure | undefined => (state === 'starting' && batch ? batchPools[batch.poolId]?.problem : undefined);

/** What a request waits for that was held back: the limit of its profile, and those that come before it. */
function placeOf(
  { profiles }: Dependencies['config'],
  request: AgentRequest,
  live: readonly LiveRequest[],
): Waiting['place'] {
  const maxAlive = profiles.get(request.profile)?.maxAlive;
  if (request.deferredAt === undefined || maxAlive === undefined) return undefined;
  return { maxAlive, ahead: admission(request, live, maxAlive).ahead };
}

/** The request as it is now, with the pool's problem in its history. */
async function withNote(
  { store }: Pick<Dependencies, 'store'>,
  request: LiveRequest,
  problem: Failure | undefined,
  at: string,
): Promise<AgentRequest | undefined> {
  if (problem) return noteOnce(store, request, problem, at);
  const found = await listedRequest({ store }, request);
  return found?.generation === request.generation ? found : undefined;
}

/** How many of the same Batch pool were asked for earlier, by request. */
function countAhead(waitForNode: readonly LiveRequest[]): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  const ahead = new Map<string, number>();
  for (const { requestId, batch } of waitForNode.toSorted((one, other) =>
    one.createdAt.localeCompare(other.createdAt),
  )) {
    const poolId = batch?.poolId ?? '';
    const count = seen.get(poolId) ?? 0;
    ahead.set(requestId, count);
    seen.set(poolId, count + 1);
  }
  return ahead;
}
