import { groupBy } from '../../group-by.js';
import { type AgentRecord, type Evidence, type RequestRow, requestOfAgent } from '../evidence.js';

/** What the table says of agents is what really happened, and never were two there for one request. */
export function auditAgents(evidence: Evidence): readonly string[] {
  const agents = groupBy(evidence.agents, ({ name }) => requestOfAgent(name));
  const jobs = groupBy(
    evidence.runs.filter(run => run.jobAgent !== undefined && run.jobStartedAt !== undefined),
    ({ jobAgent = '' }) => requestOfAgent(jobAgent),
  );
  return evidence.rows.flatMap(row => [
    ...auditJobs(
      row,
      (jobs.get(row.requestId) ?? []).map(({ runId }) => runId),
    ),
    ...auditOnline(row, agents.get(row.requestId) ?? []),
    ...auditAtOnce(row, agents.get(row.requestId) ?? []),
  ]);
}

/** `completed` means that its agent ran a job: one, no more and no less. */
function auditJobs({ requestId, history }: RequestRow, runs: readonly string[]): readonly string[] {
  const completed = history.filter(({ state }) => state === 'completed').length;
  // Who is cancelled at work, or was taken for another's job, ran one as well.
  const perhaps = history.filter(({ state }) => state === 'cancelled').length;
  const taken = history.filter(({ detail }) => detail.includes('AgentTaken')).length;
  if (runs.length < completed) {
    return [`Request ${requestId} is completed ${completed} times, but its agents ran ${runs.length} jobs.`];
  }
  return runs.length > completed + perhaps + taken
    ? [
        `Request ${requestId} is completed ${completed} times, but its agents ran ${runs.length} jobs: ${runs.join(', ')}.`,
      ]
    : [];
}

function auditOnline({ requestId, history }: RequestRow, agents: readonly AgentRecord[]): readonly string[] {
  const wereOnline = new Set(agents.filter(({ sessions }) => sessions.length > 0).map(({ name }) => name));
  const told = new Set(history.filter(({ state }) => state === 'online').map(({ attempt }) => attempt));
  return [...told]
    .filter(attempt => !wereOnline.has(`${requestId}-${attempt}`))
    .map(
      attempt =>
        `Request ${requestId} says that agent ${requestId}-${attempt} was online, which it never was.`,
    );
}

function auditAtOnce({ requestId }: RequestRow, agents: readonly AgentRecord[]): readonly string[] {
  const spans = agents
    .flatMap(({ name, sessions, removedAt }) =>
      sessions.map(({ openedAt, endedAt }) => ({ name, from: openedAt, to: endedAt ?? removedAt ?? '9999' })),
    )
    .toSorted((one, other) => one.from.localeCompare(other.from));
  return spans.flatMap((span, index) => {
    const other = spans.slice(0, index).find(({ name, to }) => name !== span.name && to > span.from);
    return other
      ? [
          `Request ${requestId} had two agents online at once at ${span.from}: ${other.name} and ${span.name}.`,
        ]
      : [];
  });
}
