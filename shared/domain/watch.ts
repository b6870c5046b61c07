import { type AgentView, judge, type Situation, type TaskView, type WatchedRequest } from './situation.js';

/** What was told to a request and is not yet to be seen in its row. */
export interface Told {
  readonly [requestId: string]: { readonly what: string; readonly rounds: number };
}

export interface WatchDecision {
  readonly raise: readonly { readonly requestId: string; readonly situation: Situation }[];
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
 * @param requests the live requests of the pool, read before the two lists, so that a task missing from them is gone.
 */
export function decideWatch(
  requests: readonly WatchedRequest[],
  agents: ReadonlyMap<string, AgentView>,
  tasks: ReadonlyMap<string, TaskView>,
  told: Told,
): WatchDecision {
  const raise: { requestId: string; situation: Situation }[] = [];
  const nowTold: Record<string, { what: string; rounds: number }> = {};
  for (const request of requests) {
    const situation = judge(request, {
      agent: request.agentName === undefined ? undefined : agents.get(request.agentName.toLowerCase()),
      task: request.batch === undefined ? undefined : tasks.get(request.batch.taskId.toLowerCase()),
    });
    if (!situation) continue;
    const what = `${situation.kind}#${situation.attempt}`;
    const before = told[request.requestId];
    const isNews = before?.what !== what || before.rounds >= repeatAfterRounds;
    if (isNews) raise.push({ requestId: request.requestId, situation });
    nowTold[request.requestId] = { what, rounds: isNews ? 0 : before.rounds + 1 };
  }
  return { raise, told: nowTold };
}
