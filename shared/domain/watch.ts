import type { Failure } from './failure.js';
import type { StartedTask } from './pipeline-log.js';
import {
  type AgentView,
  judge,
  lostNode,
  type Situation,
  type TaskView,
  type WatchedRequest,
} from './situation.js';

/** What was told to a request and is not yet to be seen in its row. */
export interface Told {
  readonly [requestId: string]: { readonly what: string; readonly rounds: number };
}

export interface WatchDecision {
  /** Orchestrations that must hear of something. */
  readonly raise: readonly { readonly requestId: string; readonly situation: Situation }[];
  /** Requests whose task has got its node, or begun to run: nothing to decide, but whoever waits wants to know. */
  readonly started: readonly { readonly requestId: string; readonly task: StartedTask }[];
  readonly told: Told;
}

/**
 * After so many rounds without effect an event counts as lost and is raised again: delivery is at least once only
 * if somebody repeats it.
 */
const repeatAfterRounds = 6;

/** A node that seems to be gone is given up when the next round sees the same. */
const suspicion = 'nodeLost?';
const taskRuns = 'taskRuns';
const taskPrepares = 'taskPrepares';

/**
 * One look at a whole pool: which requests must hear of what.
 *
 * Events are raised on change only, so a slow orchestration does not gather copies of the same news in its history.
 *
 * @param requests the live requests of the pool, read before the two lists, so that a task missing from them is gone.
 * @param missingPools Batch pools that are not there, with what to do about it.
 * @param admissible ids of the deferred requests that may begin now.
 */
export function decideWatch(
  requests: readonly WatchedRequest[],
  agents: ReadonlyMap<string, AgentView>,
  tasks: ReadonlyMap<string, TaskView>,
  told: Told,
  missingPools: ReadonlyMap<string, Failure> = new Map(),
  admissible: ReadonlySet<string> = new Set(),
): WatchDecision {
  const raise: { requestId: string; situation: Situation }[] = [];
  const started: { requestId: string; task: StartedTask }[] = [];
  const nowTold: Record<string, { what: string; rounds: number }> = {};
  for (const request of requests) {
    const { attempt, state, requestId } = request;
    const task = request.batch === undefined ? undefined : tasks.get(request.batch.taskId.toLowerCase());
    const agent = request.agentName === undefined ? undefined : agents.get(request.agentName.toLowerCase());
    const before = told[requestId];
    const was = (what: string): boolean => before?.what === `${what}#${attempt}`;
    const wasSuspect = was(suspicion) || was('nodeLost');

    const situation: Situation | undefined =
      judge(request, { agent, task, wasSuspect }) ??
      poolMissing(request, agent, task, missingPools) ??
      (admissible.has(requestId) ? { kind: 'admitted', attempt } : undefined);
    const isSuspect = lostNode(request, task, was(taskRuns) || wasSuspect) === 'perhaps';
    const kind = situation?.kind ?? (isSuspect ? suspicion : state === 'starting' ? howFar(task) : undefined);
    if (kind === undefined) continue;

    const isNews = !was(kind) || (situation !== undefined && before && before.rounds >= repeatAfterRounds);
    if (isNews && situation) raise.push({ requestId, situation });
    if (isNews && kind === taskRuns) started.push({ requestId, task: 'running' });
    if (isNews && kind === taskPrepares) started.push({ requestId, task: 'preparing' });
    nowTold[requestId] = { what: `${kind}#${attempt}`, rounds: isNews || !before ? 0 : before.rounds + 1 };
  }
  return { raise, started, told: nowTold };
}

function howFar(task: TaskView | undefined): string | undefined {
  if (task?.state === 'running') return taskRuns;
  return task?.state === 'preparing' ? taskPrepares : undefined;
}

function poolMissing(
  { state, attempt, batch }: WatchedRequest,
  agent: AgentView | undefined,
  task: TaskView | undefined,
  missingPools: ReadonlyMap<string, Failure>,
): Situation | undefined {
  const failure = state === 'starting' && batch ? missingPools.get(batch.poolId) : undefined;
  // What runs already may still come to its end.
  return failure && task?.state === 'active' && !agent?.online
    ? { kind: 'poolMissing', attempt, failure }
    : undefined;
}
