import { type AgentView, judge, type Situation, type TaskView, type WatchedRequest } from './situation.js';

/** What was told to a request and is not yet to be seen in its row. */
export interface Told {
  readonly [requestId: string]: { readonly what: string; readonly rounds: number };
}

export interface WatchDecision {
  /** Orchestrations that must hear of something. */
  readonly raise: readonly { readonly requestId: string; readonly situation: Situation }[];
  /** Requests whose task has just got its node: nothing to decide, but whoever waits wants to know. */
  readonly started: readonly string[];
  readonly told: Told;
}

/**
 * After so many rounds without effect an event counts as lost and is raised again: delivery is at least once only
 * if somebody repeats it.
 */
const repeatAfterRounds = 6;

/**
 * One look at a whole pool: which requests must hear of what.
 *
 * Events are raised on change only, so a slow orchestration does not gather copies of the same news in its history.
 *
 * @param admissible ids of the deferred requests that may begin now.
 * @param requests the live requests of the pool, read before the two lists, so that a task missing from them is gone.
 */
export function decideWatch(
  requests: readonly WatchedRequest[],
  agents: ReadonlyMap<string, AgentView>,
  tasks: ReadonlyMap<string, TaskView>,
  told: Told,
  admissible: ReadonlySet<string> = new Set(),
): WatchDecision {
  const raise: { requestId: string; situation: Situation }[] = [];
  const started: string[] = [];
  const nowTold: Record<string, { what: string; rounds: number }> = {};
  for (const request of requests) {
    const task = request.batch === undefined ? undefined : tasks.get(request.batch.taskId.toLowerCase());
    const agent = request.agentName === undefined ? undefined : agents.get(request.agentName.toLowerCase());
    const situation =
      judge(request, { agent, task }) ??
      (admissible.has(request.requestId)
        ? ({ kind: 'admitted', attempt: request.attempt } as const)
        : undefined);
    const runs = !situation && request.state === 'starting' && task?.state === 'running';
    if (!situation && !runs) continue;

    const what = `${situation?.kind ?? 'taskRuns'}#${request.attempt}`;
    const before = told[request.requestId];
    const isNews = before?.what !== what || (situation !== undefined && before.rounds >= repeatAfterRounds);
    if (isNews && situation) raise.push({ requestId: request.requestId, situation });
    if (isNews && !situation) started.push(request.requestId);
    nowTold[request.requestId] = { what, rounds: isNews ? 0 : before.rounds + 1 };
  }
  return { raise, started, told: nowTold };
}
