import * as z from 'zod';
import { stages } from '../domain/failure.js';
import { type AgentRequest, pipelineWaits, requestStates } from '../domain/request.js';
import type { LiveRequest, RequestDigest, RequestLife } from '../ports.js';

/**
 * How a request is laid out in a table row. What people and filters look for is a column of its own, the rest is
 * JSON text. An absent value is written as an empty text: a merge leaves out what it is not given, so nothing could
 * ever be taken back otherwise.
 */
const optionalText = z
  .string()
  .default('')
  .transform(text => (text === '' ? undefined : text));

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        const value: unknown = JSON.parse(text);
        return value;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const optionalJson = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .default('')
    .transform(text => (text === '' ? 'null' : text))
    .pipe(json(schema.nullable().transform(value => value ?? undefined)));

const State = z.enum(requestStates);
const Texts = z.record(z.string(), z.string());
const Count = z.number().int().min(0);

const Batch = z.object({ poolId: z.string(), jobId: z.string(), taskId: z.string() });
const Failure = z.object({
  code: z.string(),
  stage: z.enum(stages),
  message: z.string(),
  retryable: z.boolean(),
});
const History = z.array(z.object({ state: State, at: z.string(), attempt: Count, detail: z.string() }));
const Pipeline = z.object({
  planUrl: z.string(),
  projectId: z.string(),
  hubName: z.string(),
  planId: z.string(),
  jobId: z.string(),
  timelineId: z.string(),
  taskInstanceId: z.string(),
});
const Callback = z.object({
  sealedToken: z.string().optional(),
  result: z.enum(['succeeded', 'failed']).optional(),
  acknowledgedAt: z.string().optional(),
  refusedWith: z.string().optional(),
});

const RequestRow = z.object({
  requestId: z.string(),
  generation: Count,
  profile: z.string(),
  state: State,
  attempt: Count,
  firstAttempt: Count,
  devOpsPool: z.string(),
  image: z.string(),
  agentName: optionalText,
  batch: optionalJson(Batch),
  createdAt: z.string(),
  updatedAt: z.string(),
  onlineAt: optionalText,
  taskStartedAt: optionalText,
  endedAt: optionalText,
  timeoutMinutes: z.number(),
  capabilities: json(Texts),
  tags: json(Texts),
  failure: optionalJson(Failure),
  history: json(History),
  pipeline: optionalJson(Pipeline),
  callback: optionalJson(Callback),
  replyQueue: optionalText,
  startClaimedAt: optionalText,
  deferredAt: optionalText,
  cancelRequestedAt: optionalText,
  purgedAt: optionalText,
});

const LiveRow = RequestRow.pick({
  requestId: true,
  generation: true,
  profile: true,
  state: true,
  attempt: true,
  devOpsPool: true,
  agentName: true,
  batch: true,
  createdAt: true,
  updatedAt: true,
  startClaimedAt: true,
  deferredAt: true,
  cancelRequestedAt: true,
  onlineAt: true,
  taskStartedAt: true,
}).extend({
  /** Said in a column of its own: the sealed token beside it is too large to be read with every look at a pool. */
  pipelineWaits: z.boolean().default(false),
});

const DigestRow = RequestRow.pick({
  requestId: true,
  profile: true,
  state: true,
  createdAt: true,
  updatedAt: true,
  onlineAt: true,
  endedAt: true,
  tags: true,
}).extend({ failureCode: optionalText });
const LifeRow = RequestRow.pick({
  requestId: true,
  profile: true,
  state: true,
  createdAt: true,
  updatedAt: true,
  history: true,
}).extend({ failureCode: optionalText });

/** All of a request, without the message that it came as. */
export const requestColumns: readonly string[] = Object.keys(RequestRow.shape);
export const liveColumns: readonly string[] = Object.keys(LiveRow.shape);
export const digestColumns: readonly string[] = Object.keys(DigestRow.shape);
export const lifeColumns: readonly string[] = Object.keys(LifeRow.shape);

export type RequestColumns = Readonly<Record<string, string | number | boolean>>;

export function toColumns(request: AgentRequest): RequestColumns {
  const { batch, capabilities, tags, failure, history, pipeline, callback } = request;
  return {
    requestId: request.requestId,
    generation: request.generation,
    profile: request.profile,
    state: request.state,
    attempt: request.attempt,
    firstAttempt: request.firstAttempt,
    devOpsPool: request.devOpsPool,
    image: request.image,
    agentName: request.agentName ?? '',
    createdAt: request.createdAt,
    updatedAt: request.updatedAt,
    onlineAt: request.onlineAt ?? '',
    taskStartedAt: request.taskStartedAt ?? '',
    endedAt: request.endedAt ?? '',
    timeoutMinutes: request.timeoutMinutes,
    replyQueue: request.replyQueue ?? '',
    startClaimedAt: request.startClaimedAt ?? '',
    deferredAt: request.deferredAt ?? '',
    cancelRequestedAt: request.cancelRequestedAt ?? '',
    purgedAt: request.purgedAt ?? '',
    pipelineWaits: pipelineWaits(request),
    // For filters, and for people who look at the table: the whole failure is beside it.
    failureCode: failure?.code ?? '',
    batch: toJson(batch),
    capabilities: JSON.stringify(capabilities),
    tags: JSON.stringify(tags),
    failure: toJson(failure),
    history: JSON.stringify(history),
    pipeline: toJson(pipeline),
    callback: toJson(callback),
  };
}

const toJson = (value: object | undefined): string => (value === undefined ? '' : JSON.stringify(value));

/** @param where names the row in the error of one that can't be read, e.g. `live~x in table AgentRequests`. */
export const toRequest = (row: unknown, where: string): AgentRequest => decode(RequestRow, row, where);

/** Of a row that was read with {@link liveColumns}. */
export const toLiveRequest = (row: unknown, where: string): LiveRequest => decode(LiveRow, row, where);

/** Of a row that was read with {@link digestColumns}. */
export const toDigest = (row: unknown, where: string): RequestDigest => decode(DigestRow, row, where);

/** Of a row that was read with {@link lifeColumns}. */
export const toLife = (row: unknown, where: string): RequestLife => decode(LifeRow, row, where);

/** Not worth a repetition: somebody must mend the row. */
export class UnreadableRowError extends Error {
  override readonly name = 'UnreadableRowError';
}

function decode<T>(schema: z.ZodType<T>, row: unknown, where: string): T {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(issue => `column ${issue.path.join('.')}: ${issue.message}`);
  throw new UnreadableRowError(`Row ${where} can't be read: ${problems.join('; ')}.`);
}
