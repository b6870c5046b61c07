import { type Failure, shorten } from './failure.js';
import { causeOf, guideTo, helpUrl } from './failure-guide.js';
import type { AgentRequest, EndState } from './request.js';
import type { TaskState } from './situation.js';

/**
 * What the author of a waiting pipeline reads in the log of the run; one function a line. Times are milliseconds since
 * the epoch.
 */
export const pipelineLog = {
  provisioning: (request: AgentRequest, attempts: number): string =>
    `Request ${request.requestId}: asking for an agent of profile ${request.profile}, attempt ${attemptOf(request)} of ${attempts}.`,

  starting: (request: AgentRequest): string =>
    `${agentOf(request)} is queued in Batch pool ${poolOf(request)}; waiting for a node.`,

  /** News of the task; what it means for who waits. */
  started: (request: AgentRequest, task: StartedTask, now: number): string =>
    task === 'preparing'
      ? `${agentOf(request)} has its node, image is being pulled${soFar(request, now)}.`
      : `Image pulled, container of agent ${nameOf(request)} started, waiting for it to come online${soFar(request, now)}.`,

  waiting: (request: AgentRequest, waiting: Waiting, now: number): string =>
    withHindrance(`${waitsFor(request, waiting)}${soFar(request, now)}.`, waiting),

  retry: (attempt: number, attempts: number, failure: Failure, delayMs: number): string =>
    oneLine(
      `Attempt ${attempt} of ${attempts} failed: ${whatHappened(failure)}`,
      `Trying again in ${seconds(delayMs)}.`,
    ),

  heldUp: (failure: Failure): string =>
    oneLine(`Held up: ${whatHappened(failure)}`, `${whatToDo(failure)} It is tried again by itself.`),

  online: (request: AgentRequest): string =>
    `${agentOf(request)} is online after ${seconds(elapsed(request.createdAt, request.onlineAt))}, in agent pool ${request.devOpsPool}.`,

  /**
   * The last word to a pipeline that gets no agent: what happened, what to do, and where to read more.
   *
   * @param baseUrl where callers reach the API, without a trailing slash.
   */
  noAgent: ({ requestId }: AgentRequest, { state, detail, failure }: End, baseUrl: string): string => {
    const link = `Request ${requestId}: ${baseUrl}/agents/${requestId}`;
    if (failure) {
      return oneLine(
        `No agent: ${whatHappened(failure)}`,
        `${whatToDo(failure)} ${link}, help: ${helpUrl(baseUrl, failure.code)}`,
      );
    }
    return oneLine(
      `No agent: ${withoutFailure[state] ?? inSentence(detail)}`,
      `Run the job again if it still needs one. ${link}`,
    );
  },
};

/** What a task does that has got its node. */
export type StartedTask = Extract<TaskState, 'preparing' | 'running'>;

/** How far a request has come that a pipeline waits for. */
export interface Waiting {
  readonly task: TaskState | undefined;
  /** Tasks of the same Batch pool that were asked for earlier and wait for a node, too. */
  readonly ahead: number;
  /** What keeps the Batch pool from running it. */
  readonly problem: Failure | undefined;
  /** Its profile has as many agents as it may have, and so many requests are ahead of it. */
  readonly place?: { readonly ahead: number; readonly maxAlive: number } | undefined;
}

/** Ends that are nobody's failure. */
const withoutFailure: Readonly<Partial<Record<EndState, string>>> = {
  cancelled: 'the request was cancelled before its agent was online.',
  expired: 'it was online, but no job came to it in time.',
};

interface End {
  readonly state: EndState;
  readonly detail: string;
  readonly failure?: Failure | undefined;
}

/** A line of a run's log holds 1,024 characters; an issue should be shorter than a screen. */
const longestLine = 1_000;

/** The end has what to do and where to read more: what is too long is cut before it. */
const oneLine = (beginning: string, end: string): string =>
  `${shorten(beginning, Math.max(1, longestLine - end.length - 1))} ${end}`;

function waitsFor(request: AgentRequest, { task, ahead, place }: Waiting): string {
  if (request.state === 'accepted' && place) {
    const agents = place.maxAlive === 1 ? '1 agent' : `${place.maxAlive} agents`;
    return `Waiting for a free place, ${numberOf(place.ahead)} ahead: profile ${request.profile} allows ${agents} at once`;
  }
  if (request.state === 'accepted') return `Request ${request.requestId} is waiting to begin`;
  if (request.state === 'provisioning') return `Waiting for Azure Batch to take agent ${nameOf(request)}`;
  if (task === 'running') return `Container of agent ${nameOf(request)} runs, waiting for it to come online`;
  if (task === 'preparing') return `${agentOf(request)} has its node, image is being pulled`;
  const inLine = task === 'active' ? `, ${numberOf(ahead)} ahead` : '';
  return `Waiting for a node${inLine} in Batch pool ${poolOf(request)}`;
}

const withHindrance = (line: string, { task, problem }: Waiting): string =>
  problem && task !== 'preparing' && task !== 'running'
    ? oneLine(`${line} Held up: ${whatHappened(problem)}`, whatToDo(problem))
    : line;

/** The cause as a part of a sentence, with the code that documents and alerts refer to. */
const whatHappened = (failure: Failure): string =>
  `${inSentence(causeOf(failure)).replace(/[.:\s]+$/, '')} (${failure.code}).`;

/** Whoever reads a log can't mend a pool: then the sentence says whom to ask. */
function whatToDo({ code }: Failure): string {
  const { remedy, who } = guideTo(code);
  return who === 'platform team'
    ? `Ask the platform team to ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}`
    : remedy;
}

/** Names keep their capital; the little words that our sentences begin with do not. */
const inSentence = (text: string): string =>
  text.replace(/^(?:The|This|No|Every|It)\b/, word => word.toLowerCase());

const numberOf = (count: number): string => (count === 0 ? 'none' : String(count));
const attemptOf = (request: AgentRequest): number => request.attempt - request.firstAttempt + 1;
const nameOf = ({ agentName }: AgentRequest): string => agentName ?? '?';
const agentOf = (request: AgentRequest): string => `Agent ${nameOf(request)}`;
const poolOf = ({ batch }: AgentRequest): string => batch?.poolId ?? '?';

const soFar = ({ createdAt }: AgentRequest, now: number): string =>
  ` (${seconds(Math.max(0, now - Date.parse(createdAt)))} so far)`;

const elapsed = (from: string, to: string | undefined): number =>
  to === undefined ? 0 : Date.parse(to) - Date.parse(from);

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
