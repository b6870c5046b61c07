import type { JobView } from './domain/daily-jobs.js';
import type { Failure } from './domain/failure.js';
import type { AgentRequest, BatchPlace, PipelineContext, RequestState } from './domain/request.js';
import type { AgentView, Situation, TaskView, WatchedRequest } from './domain/situation.js';

/**
 * What the product needs of the outside world. Adapters throw `TransientError` for what is worth retrying and
 * return a rejection for what is not; nothing else of an SDK comes through.
 */
export interface Clock {
  now(): Date;
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Rejected {
  readonly kind: 'rejected';
  readonly failure: Failure;
}

/** A request together with the version that it was read at. */
export interface StoredRequest {
  readonly request: AgentRequest;
  readonly etag: string;
}

export interface RequestFilter {
  readonly state?: RequestState | undefined;
  readonly profile?: string | undefined;
  /** Only those that failed with this code. */
  readonly failureCode?: string | undefined;
  /** Only those with this tag. */
  readonly tag?: { readonly name: string; readonly value: string } | undefined;
  /** Only dead letters that were not purged. */
  readonly deadLetters?: boolean | undefined;
  /** At most so many, 1 to 200. */
  readonly top: number;
  readonly continuation?: string | undefined;
}

export interface RequestPage {
  readonly requests: readonly AgentRequest[];
  readonly continuation: string | undefined;
}

/** Table storage: the life of every request. */
export interface RequestStore {
  /**
   * Keeps a new request together with the message that it came as.
   *
   * @returns `exists` when this id was ever used: its request is alive or has ended.
   */
  insert(request: AgentRequest, message: Uint8Array): Promise<'inserted' | 'exists'>;
  get(requestId: string): Promise<StoredRequest | undefined>;
  /**
   * A live request as this process last read or wrote it, without asking storage. It may be out of date: only for a
   * decision that ends in a write guarded by its version.
   */
  remembered(requestId: string): StoredRequest | undefined;
  /** The message that the request came as, byte for byte. */
  message(requestId: string): Promise<Uint8Array | undefined>;
  /** Replaces a request if nobody else has since it was read; an end is filed among the ended. */
  replace(stored: StoredRequest, next: AgentRequest): Promise<StoredRequest | 'changed'>;
  /**
   * Makes an ended request live again.
   *
   * @returns `exists` when it is alive, or has been begun again by somebody else and ended since.
   */
  reopen(next: AgentRequest, message: Uint8Array): Promise<'inserted' | 'exists'>;
  /** Newest first. A continuation that is not ours is refused by `undefined`. */
  list(filter: RequestFilter): Promise<RequestPage | undefined>;
  /** Everything that has not ended, in one Azure DevOps pool or in all. */
  live(devOpsPool?: string): Promise<readonly LiveRequest[]>;
  /**
   * Rows that `live` and `list` have met and left out because they can't be read: one that was broken by hand must
   * not take all others with it.
   */
  unreadable(): Promise<readonly UnreadableRow[]>;
}

export interface UnreadableRow {
  readonly rowKey: string;
  /** A sentence that names the row and what is wrong with it. */
  readonly why: string;
}

export type LiveRequest = WatchedRequest &
  Pick<AgentRequest, 'generation' | 'devOpsPool' | 'updatedAt' | 'startClaimedAt' | 'deferredAt'> & {
    /** A pipeline waits for it and has not been answered. */
    readonly pipelineWaits: boolean;
  };

/** The few things of a request that numbers are made of. */
export type RequestDigest = Pick<
  AgentRequest,
  'requestId' | 'profile' | 'state' | 'createdAt' | 'updatedAt' | 'onlineAt' | 'endedAt' | 'tags'
> & { readonly failureCode: string | undefined };

/** The lines of a request's life. */
export type RequestLife = Pick<
  AgentRequest,
  'requestId' | 'profile' | 'state' | 'createdAt' | 'updatedAt' | 'history'
> & { readonly failureCode: string | undefined };

/** Which requests of a survey. All times are ISO 8601, UTC. */
export type SurveyRange = {
  /** Only those that have changed since, by the clock of who changed them. */
  readonly changedSince?: string | undefined;
  /** At most so many; the newest of the ended ones. */
  readonly atMost: number;
} & (
  | { readonly which: 'live' }
  | {
      readonly which: 'ended';
      /** Asked for at that time or later. */
      readonly askedSince: string;
      /** Asked for at that time or earlier; default: no limit. */
      readonly askedUntil?: string | undefined;
    }
);

export interface Surveyed<T> {
  readonly requests: readonly T[];
  /** There are more than were given. */
  readonly more: boolean;
}

/**
 * The request table, read for those who look after it: few columns of many rows, in one storage transaction for a
 * thousand of them, and one when there are none. A row that can't be read is left out.
 */
export interface RequestSurvey {
  digests(range: SurveyRange): Promise<Surveyed<RequestDigest>>;
  lives(range: SurveyRange): Promise<Surveyed<RequestLife>>;
}

/** Storage queues: what comes in, what goes back to other systems, what could not be done. */
export interface RequestQueue {
  /** @throws TransientError when the queue can't be reached. */
  send(message: string): Promise<void>;
  reply(queue: string, message: string): Promise<void>;
  deadLetter(message: string): Promise<void>;
}

/** A message that was taken out of a queue: for a minute, or until it is given back, nobody else sees it. */
export interface HeldMessage {
  readonly messageId: string;
  /** As it lies in the queue. */
  readonly text: string;
  /** Proves to the queue that the message is ours to settle. */
  readonly receipt: string;
}

/** A queue that is looked through: the dead letters, and the messages that the host gave up delivering. */
export interface DrainableQueue {
  /** At most 32 messages; none when the queue is empty or missing, or others hold what is in it. */
  receive(): Promise<readonly HeldMessage[]>;
  /** Already gone, or no longer ours, is fine. */
  remove(message: HeldMessage): Promise<void>;
  /** Shows it to everybody again, unchanged. */
  giveBack(message: HeldMessage): Promise<void>;
}

/** The durable orchestrations, seen from outside. */
export interface Orchestrations {
  startLifecycle(requestId: string, input: unknown): Promise<void>;
  /** @returns the input of the running lifecycle, or undefined if none runs. */
  runningLifecycle(requestId: string): Promise<{ readonly input: unknown } | undefined>;
  /** @returns false if no orchestration of the request runs. */
  raise(requestId: string, situation: Situation): Promise<boolean>;
  /** Makes sure that a pool is watched, and looked at soon. */
  ensureWatch(devOpsPool: string): Promise<void>;
  /** The running watch of a pool, and when it last looked, ISO 8601; undefined if none runs. */
  watch(devOpsPool: string): Promise<{ readonly lookedAt: string | undefined } | undefined>;
}

export interface AgentTask {
  readonly profile: string;
  /** Day of creation as `20260131`; with the profile it names the job. */
  readonly day: string;
  readonly poolId: string;
  readonly taskId: string;
  readonly image: string;
  readonly os: 'linux' | 'windows';
  readonly slots: number;
  /** Never logged: it may hold the agent's token. */
  readonly environment: Readonly<Record<string, string>>;
  readonly maxWallClockMinutes: number;
}

/** How many nodes a Batch pool has, dedicated and Spot together. */
export interface NodeCounts {
  readonly current: number;
  readonly target: number;
  readonly idle: number;
  readonly running: number;
  /** On their way to run tasks. */
  readonly starting: number;
  /** They run no task before somebody has mended them. */
  readonly unusable: number;
}

export interface BatchPoolView {
  readonly poolId: string;
  /** Undefined: there is no such pool. */
  readonly nodes: NodeCounts | undefined;
  /** What keeps it from running tasks, as far as the service says. */
  readonly problem: Failure | undefined;
}

/** Azure Batch. */
export interface Compute {
  /** The daily jobs of agents in the account, whoever made them; one that is being deleted is left out. */
  listJobs(): Promise<readonly JobView[]>;
  /** Ends a job and with it whatever still runs in it; ended or gone already is fine. */
  endJob(jobId: string): Promise<void>;
  /** Removes a job with its tasks; already gone is fine. */
  deleteJob(jobId: string): Promise<void>;
  /** Creates the job and the task; both may be there already. */
  createTask(task: AgentTask): Promise<{ readonly kind: 'created'; readonly batch: BatchPlace } | Rejected>;
  /** The agent tasks of some jobs. A job that is not there has none. */
  listTasks(jobIds: readonly string[]): Promise<readonly TaskView[]>;
  getTask(place: BatchPlace): Promise<TaskView | undefined>;
  /** What keeps a pool from running tasks, as far as the service says; undefined if nothing does. */
  poolProblem(poolId: string): Promise<Failure | undefined>;
  /** One call for the nodes of all pools, one for each pool, and one more for a pool whose nodes are all broken. */
  poolViews(poolIds: readonly string[]): Promise<readonly BatchPoolView[]>;
  /** Ends and removes a task; already gone is fine. */
  deleteTask(place: BatchPlace): Promise<void>;
  /** The end of the task's standard error and output, for a failure's message; undefined if there is none. */
  outputTail(place: BatchPlace): Promise<string | undefined>;
  ping(): Promise<void>;
}

/** Azure DevOps agent pools. */
export interface AgentRegistry {
  poolExists(devOpsPool: string): Promise<boolean>;
  listAgents(devOpsPool: string): Promise<readonly AgentView[]>;
  getAgent(devOpsPool: string, agentName: string): Promise<AgentView | undefined>;
  /** Whether the pool's recent jobs include one that this agent has taken, ended or not; undefined if it can't be told. */
  ranJob(devOpsPool: string, agentName: string): Promise<boolean | undefined>;
  /** How the job ended that this agent ran, if the pool's recent jobs include one; `failed` also when it was lost. */
  jobResult(devOpsPool: string, agentName: string): Promise<'succeeded' | 'failed' | 'canceled' | undefined>;
  /** Removes a registration; `busy` when a job runs on it. */
  removeAgent(devOpsPool: string, agentName: string): Promise<'removed' | 'busy'>;
  /** Makes sure that the pool has an offline agent that satisfies a job's demands. */
  ensurePlaceholder(devOpsPool: string, os: 'linux' | 'windows'): Promise<void>;
  /** @throws TransientError `AgentPoolMissing` when there is no such pool. */
  hasPlaceholder(devOpsPool: string, os: 'linux' | 'windows'): Promise<boolean>;
  /** @throws TransientError `AgentPoolMissing` when there is no such pool. */
  removePlaceholder(devOpsPool: string, os: 'linux' | 'windows'): Promise<'removed' | 'absent'>;
  ping(): Promise<void>;
}

export type CompletionAnswer =
  | { readonly kind: 'acknowledged' }
  /** The plan is over: the run has ended or was cancelled, nobody waits any more. */
  | { readonly kind: 'planOver'; readonly reason: string }
  /** This completion was not taken, the plan goes on: e.g. the task did not wait for it. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Whether a run is still there, as far as its answer to a line tells. */
export type TellAnswer = 'told' | 'unknown' | { readonly planOver: string };

/** The server task of a pipeline run that waits for us. */
export interface PipelineCallback {
  /** Live lines for the run's log; best effort, never throws. */
  tell(pipeline: PipelineContext, token: string, lines: readonly string[]): Promise<TellAnswer>;
  /** Output variables, issues and the log on the task's record; best effort, never throws. */
  annotate(pipeline: PipelineContext, token: string, notes: PipelineNotes): Promise<void>;
  /** Ends the server task. */
  complete(
    pipeline: PipelineContext,
    token: string,
    result: 'succeeded' | 'failed',
  ): Promise<CompletionAnswer>;
}

export interface PipelineNotes {
  readonly variables?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly log?: readonly string[];
}

/** Seals job tokens before they touch storage. */
export interface TokenSeal {
  seal(requestId: string, token: string): string;
  /** @returns undefined if the text was not sealed by us, for this request, with a key that we have. */
  unseal(requestId: string, sealed: string): string | undefined;
}

/** What a log line is about, in fields that can be searched for. Never a secret. */
export interface LogFields {
  readonly requestId?: string | undefined;
  readonly attempt?: number | undefined;
  readonly [field: string]: string | number | boolean | undefined;
}

export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Where a step belongs: the W3C `traceparent` of what caused it, absent for what nothing caused. */
export interface StepOf {
  readonly traceparent?: string | undefined;
  readonly requestId?: string | undefined;
  readonly attempt?: number | undefined;
}

/** Metric names are in one list, with their units, in `shared/telemetry`. */
export interface Telemetry {
  /**
   * Does work as one step (span) of a trace. The work is given the `traceparent` of the step, for what it causes.
   * An error marks the step as failed and goes on as it is.
   */
  step<T>(name: string, of: StepOf, work: (step: Step) => Promise<T>): Promise<T>;
  /** A step that took place between two moments, e.g. a wait that nobody sat through. */
  past(name: string, of: StepOf, from: Date, to: Date, fields?: LogFields): void;
  /** Adds to a counter. */
  count(metric: string, fields?: LogFields, by?: number): void;
  /** One measured value of a histogram, or the present value of a gauge. */
  record(metric: string, value: number, fields?: LogFields): void;
}

export interface Step {
  readonly traceparent: string | undefined;
  /** Tells more about the step. */
  note(fields: LogFields): void;
}
