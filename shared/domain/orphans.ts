import { partsOfAgentName } from './names.js';
import { type AgentRequest, isEnded } from './request.js';
import type { AgentView, TaskView } from './situation.js';

/** A Batch task or an agent's registration that bears a name of ours and that no live request owns. */
export interface Suspect {
  readonly requestId: string;
  readonly attempt: number;
  /** The agent's and the task's. */
  readonly name: string;
  readonly thing:
    | { readonly kind: 'task'; readonly task: TaskView }
    | { readonly kind: 'agent'; readonly devOpsPool: string; readonly agent: AgentView };
}

type Owner = Pick<AgentRequest, 'requestId' | 'attempt'>;

/**
 * What of the listed things has no owner.
 *
 * @param live the live requests, read after the lists: whatever was listed was made before, by a request that has
 *   ended since or that is among these.
 */
export function findSuspects(
  tasks: readonly TaskView[],
  agents: ReadonlyMap<string, readonly AgentView[]>,
  live: readonly Owner[],
): readonly Suspect[] {
  const attempts = new Map(live.map(({ requestId, attempt }) => [requestId, attempt]));
  const suspects: Suspect[] = [];
  const suspect = (name: string, thing: Suspect['thing']): void => {
    const parts = partsOfAgentName(name);
    if (parts && !owns(attempts.get(parts.requestId), parts.attempt))
      suspects.push({ ...parts, name, thing });
  };
  for (const task of tasks) {
    if (task.madeHere !== false) suspect(task.taskId, { kind: 'task', task });
  }
  for (const [devOpsPool, listed] of agents) {
    for (const agent of listed) {
      if (!agent.busy) suspect(agent.name, { kind: 'agent', devOpsPool, agent });
    }
  }
  return suspects;
}

/** A row may be one attempt behind what has been made for it; what is of an earlier attempt was left over. */
const owns = (rowAttempt: number | undefined, attempt: number): boolean =>
  rowAttempt !== undefined && rowAttempt <= attempt;

/** The clocks of Azure DevOps and of this app are not one. */
const skewMs = 5 * 60_000;

type Maker = Pick<
  AgentRequest,
  'requestId' | 'state' | 'attempt' | 'devOpsPool' | 'createdAt' | 'endedAt' | 'timeoutMinutes' | 'history'
>;

/**
 * Whether a suspect was made by this installation, so that it may be removed. Another one may share the Batch account
 * or the agent pool, and its names look like ours.
 *
 * @param row the row of the request that the name speaks of, read just now; undefined: there is none.
 */
export function isOrphan({ attempt, thing }: Suspect, row: Maker | undefined): boolean {
  if (row && !isEnded(row.state) && owns(row.attempt, attempt)) return false;
  const wasMade = row !== undefined && row.attempt >= attempt;
  if (thing.kind === 'task') return thing.task.madeHere ?? wasMade;
  return wasMade && row.devOpsPool === thing.devOpsPool && !thing.agent.busy && isOfItsTime(thing.agent, row);
}

/** An agent registers after its request was made, and not once its container has been told that it is too late. */
function isOfItsTime({ createdOn }: AgentView, row: Maker): boolean {
  const at = Date.parse(createdOn ?? '');
  // The row tells when its latest generation was asked for; its history goes back to the first.
  const first = Math.min(Date.parse(row.createdAt), Date.parse(row.history[0]?.at ?? row.createdAt));
  const last =
    row.endedAt === undefined
      ? Number.POSITIVE_INFINITY
      : Date.parse(row.endedAt) + row.timeoutMinutes * 60_000;
  return at >= first - skewMs && at <= last + skewMs;
}
