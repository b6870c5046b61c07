import type { Failure } from './failure.js';

export const liveStates = ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const;
export const endStates = ['completed', 'expired', 'cancelled', 'deadLettered'] as const;
export const requestStates = [...liveStates, ...endStates] as const;
export type EndState = (typeof endStates)[number];
export type RequestState = (typeof requestStates)[number];

export const isEnded = (state: RequestState): state is EndState => endStates.some(end => end === state);

/** One line of a request's life; never changed once written. */
export interface HistoryEntry {
  readonly state: RequestState;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly attempt: number;
  readonly detail: string;
}

/** The server task of a pipeline run that asked for an agent, as `AzureFunction@1` names it. Never its token. */
export interface PipelineContext {
  /** Collection URL, ending in `/`. */
  readonly planUrl: string;
  readonly projectId: string;
  readonly hubName: string;
  readonly planId: string;
  readonly jobId: string;
  readonly timelineId: string;
  readonly taskInstanceId: string;
}

/** What we owe the pipeline that waits, and what became of it. */
export interface CallbackState {
  /** The job token, sealed; absent once it is no longer needed. */
  readonly sealedToken?: string | undefined;
  /** What we decided to tell; written before it is sent, so that a repeated send is known as one. */
  readonly result?: 'succeeded' | 'failed' | undefined;
  readonly acknowledgedAt?: string | undefined;
  /** Why Azure DevOps did not take our completion, e.g. its `typeKey`. */
  readonly refusedWith?: string | undefined;
}

export interface BatchPlace {
  readonly poolId: string;
  readonly jobId: string;
  readonly taskId: string;
}

/** A request for one agent, whole: one row in the table. */
export interface AgentRequest {
  readonly requestId: string;
  /** Counts how often this id was asked for anew after it had ended; 1 at first. */
  readonly generation: number;
  readonly profile: string;
  readonly state: RequestState;
  /** Provisioning attempts so far, over all generations: agent and task names never repeat. */
  readonly attempt: number;
  /** The first attempt of this generation, to count what it has used up. */
  readonly firstAttempt: number;
  readonly devOpsPool: string;
  readonly image: string;
  readonly agentName: string | undefined;
  readonly batch: BatchPlace | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly onlineAt: string | undefined;
  /** When Batch began to run the task of the agent that is online, by the clock of Batch: a later run is another agent. */
  readonly taskStartedAt: string | undefined;
  readonly endedAt: string | undefined;
  readonly timeoutMinutes: number;
  readonly capabilities: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly failure: Failure | undefined;
  readonly history: readonly HistoryEntry[];
  readonly pipeline: PipelineContext | undefined;
  readonly callback: CallbackState | undefined;
  readonly replyQueue: string | undefined;
  /** When a delivery took it upon itself to start the orchestration. */
  readonly startClaimedAt: string | undefined;
  /** When it was found that its profile has no free place for it; kept after it has begun. */
  readonly deferredAt: string | undefined;
  readonly cancelRequestedAt: string | undefined;
  /** When an operator was done with its dead letter; the request itself stays to be read. */
  readonly purgedAt: string | undefined;
  /** The step of its trace that everything to come belongs under; absent where nothing is traced. */
  readonly traceparent: string | undefined;
}

/** Whether a pipeline waits for this request and has not been answered yet. */
export const pipelineWaits = ({ pipeline, callback }: Pick<AgentRequest, 'pipeline' | 'callback'>): boolean =>
  pipeline !== undefined &&
  callback?.sealedToken !== undefined &&
  callback.acknowledgedAt === undefined &&
  callback.refusedWith === undefined;

/** A request of which nothing is known yet but that it was asked for. */
export const acceptedRequest = (requestId: string, at: string, detail: string): AgentRequest => ({
  requestId,
  generation: 1,
  profile: '',
  state: 'accepted',
  attempt: 0,
  firstAttempt: 1,
  devOpsPool: '',
  image: '',
  agentName: undefined,
  batch: undefined,
  createdAt: at,
  updatedAt: at,
  onlineAt: undefined,
  taskStartedAt: undefined,
  endedAt: undefined,
  timeoutMinutes: 1,
  capabilities: {},
  tags: {},
  failure: undefined,
  history: [{ state: 'accepted', at, attempt: 0, detail }],
  pipeline: undefined,
  callback: undefined,
  replyQueue: undefined,
  startClaimedAt: undefined,
  deferredAt: undefined,
  cancelRequestedAt: undefined,
  purgedAt: undefined,
  traceparent: undefined,
});
