import { groupBy } from '../../group-by.js';
import type { Agent, Request, Run, Seen, Task } from './records.js';

/** Sentences about what went wrong; none: nothing did. */
export interface Verdict {
  /** Pipelines that did not get their agent, or whose job did not run on it. */
  readonly lost: readonly string[];
  /** What was there once too often: a task, an agent, a completion. */
  readonly doubled: readonly string[];
}

/**
 * Holds what the stand-ins saw, and what our app says, to the promise: each pipeline gets one agent and one completion, and
 * its job runs on that agent.
 *
 * @param known names of agents that were there before
 */
export function auditCrowd(
  { runs, agents, tasks }: Seen,
  requests: readonly Request[],
  known: ReadonlySet<string>,
): Verdict {
  const lost: string[] = [];
  const doubled: string[] = [];
  const requestsById = new Map(requests.map(request => [request.requestId, request]));
  const agentsOf = groupBy(agents, ({ name }) => requestIdOf(name));
  const tasksOf = groupBy(tasks, ({ task }) => requestIdOf(task));
  const askers = groupBy(runs, ({ request }) => request.requestId ?? '');

  for (const run of runs) {
    const id = run.request.requestId;
    if (id === null) {
      lost.push(
        `${run.runId} was answered ${run.request.status ?? 'never'}: ${run.request.error ?? 'no request'}.`,
      );
      continue;
    }
    lost.push(...problemsOf(run, requestsById.get(id), agentsOf.get(id)));
    const accepted = run.request.completions.filter(completion => completion.accepted).length;
    if (accepted > 1) doubled.push(`${run.runId} took ${accepted} completions.`);
    doubled.push(...more(`request ${id}`, agentsOf.get(id), tasksOf.get(id)));
    if ((askers.get(id)?.length ?? 0) > 1) lost.push(`${run.runId} shares request ${id} with another.`);
  }
  const strangers = [...agents.map(({ name }) => name), ...tasks.map(({ task }) => task)].filter(
    name => !known.has(name) && !askers.has(requestIdOf(name)),
  );
  doubled.push(...new Set(strangers.map(name => `No pipeline was told of agent ${name}.`)));
  return { lost, doubled };
}

function problemsOf(
  run: Run,
  request: Request | undefined,
  agents: readonly Agent[] | undefined,
): readonly string[] {
  const { runId, result, job } = run;
  const problems: string[] = [];
  if (result !== 'succeeded' || job?.result !== 'succeeded') {
    problems.push(
      `${runId} is ${run.state}, ${result ?? 'without result'}; its job ${job?.result ?? 'did not run'}.`,
    );
  } else if (!agents?.some(({ name }) => name === job.agentName)) {
    problems.push(
      `The job of ${runId} ran on ${job.agentName ?? 'nothing'}, which is not the agent of its request.`,
    );
  }
  if (request?.state !== 'completed')
    problems.push(`The request of ${runId} is ${request?.state ?? 'missing'}.`);
  return problems;
}

const more = (
  what: string,
  agents: readonly Agent[] = [],
  tasks: readonly Task[] = [],
): readonly string[] => [
  ...(agents.length > 1 ? [`There were ${agents.length} agents for ${what}.`] : []),
  ...(agents.some(({ sessions }) => sessions.length > 1) ? [`The agent of ${what} went online twice.`] : []),
  ...(tasks.length > 1 ? [`There were ${tasks.length} Batch tasks for ${what}.`] : []),
  ...(tasks.some(({ starts }) => starts > 1) ? [`The Batch task of ${what} ran twice.`] : []),
];

/** Agents and their tasks are called after their request and its attempt. */
export const requestIdOf = (name: string): string => name.replace(/-\d+$/, '');
