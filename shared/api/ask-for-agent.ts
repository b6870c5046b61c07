import { changeRequest } from '../change-request.js';
import type { Config } from '../config.js';
import { TransientError } from '../domain/failure.js';
import { beginAgain, note } from '../domain/lifecycle.js';
import { type AgentRequest, isEnded, type RequestState } from '../domain/request.js';
import { readTraceparent } from '../domain/traceparent.js';
import { show } from '../domain/view.js';
import type { FieldError } from '../input/field-error.js';
import { newRequest, readWanted, usesArticleBody } from '../input/new-request.js';
import { readPipelineHeaders } from '../input/pipeline-headers.js';
import { decodeUtf8, parseJson } from '../input/read-json.js';
import { bodyLimitBytes, type RequestBody, requestBodySchema } from '../input/request-body.js';
import { deriveRequestId } from '../input/request-id.js';
import type { BacklogFull, BacklogGate } from '../limits/backlog-gate.js';
import type { Clock, Log, RequestQueue, RequestStore, Step, Telemetry, TokenSeal } from '../ports.js';
import { carrying } from '../telemetry/carrying.js';
import { steps } from '../telemetry/steps.js';
import { type ApiRequest, baseUrlOf } from './api-request.js';
import { type ApiResponse, invalidRequest, json, problem } from './problem.js';
import { readBody } from './read-body.js';

export interface IntakeDependencies {
  readonly config: Config;
  readonly store: RequestStore;
  readonly queue: RequestQueue;
  readonly seal: TokenSeal;
  readonly backlog: BacklogGate;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** Often enough for a person who waits; whoever wants to know sooner uses `?wait`. */
const retryAfterSeconds = '5';
/** A backlog does not melt away in seconds, and whoever comes again costs us a listing. */
const backlogRetrySeconds = '30';

const utf8 = new TextEncoder();

/**
 * The intake: checks a call, keeps it and queues it. It asks neither Batch nor Azure DevOps anything, so it answers
 * in milliseconds whatever state they are in.
 *
 * @param articleRoute whether it came in by the article's own route, whose callers do not wait.
 */
export const askForAgent =
  (dependencies: IntakeDependencies, { articleRoute }: { readonly articleRoute: boolean }) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const traceparent = readTraceparent(call.headers.get('traceparent'));
    return dependencies.telemetry.step(steps.intake, { traceparent }, async step => {
      const answer = await takeIn(dependencies, articleRoute, call, step);
      step.note({ status: answer.status });
      return answer;
    });
  };

async function takeIn(
  dependencies: IntakeDependencies,
  articleRoute: boolean,
  call: ApiRequest,
  step: Step,
): Promise<ApiResponse> {
  const { config } = dependencies;
  const bytes = await readBody(call);
  if (!bytes) return problem('BodyTooLarge', `The body may have at most ${bodyLimitBytes} bytes.`);
  const text = decodeUtf8(bytes);
  const body = parseJson(text?.trim() === '' ? '{}' : text, requestBodySchema);
  const headers = readPipelineHeaders(call.headers, config.allowedPlanHosts);
  const asked = body.ok ? body.value : body.readable;
  const wanted = asked && readWanted(config, asked, articleRoute);
  const errors: FieldError[] = [body, headers, wanted].flatMap(part => (part && !part.ok ? part.errors : []));
  if (asked?.callback === true && headers.ok && !headers.value) {
    errors.push({
      in: 'body',
      name: 'callback',
      detail: 'can only be true with the headers of a pipeline',
    });
  }
  if (errors.length > 0 || !body.ok || !headers.ok || !wanted?.ok) return invalidRequest(errors);

  const caller = headers.value;
  const waits =
    body.value.callback ?? (caller !== undefined && !articleRoute && !usesArticleBody(body.value));
  const requestId = body.value.requestId ?? deriveRequestId(caller, body.value.attempt);
  const request = newRequest(requestId, body.value, wanted.value, dependencies.clock.now().toISOString(), {
    caller,
    sealedToken: waits && caller ? dependencies.seal.seal(requestId, caller.token) : undefined,
    detail: caller
      ? `Asked for by a pipeline that ${waits ? 'waits' : 'does not wait'}.`
      : 'Asked for over HTTP.',
    traceparent: step.traceparent,
  });
  step.note({ requestId, profile: request.profile, attempt: request.attempt });
  // Nobody else can have a random id, so a call that is refused repeats nothing.
  const isNew = body.value.requestId === undefined && !caller;
  return keep(dependencies, call, request, messageOf(request, body.value, articleRoute), isNew);
}

/**
 * The queue carries what was asked, never who asked: the context is in the row, its token sealed. It is read again
 * when it is redriven, so what the article's route alone would say is said by an article's field.
 */
function messageOf({ requestId }: AgentRequest, body: RequestBody, articleRoute: boolean): string {
  const { callback: _, ...asked } = body;
  const byRoute = articleRoute && asked.profile === undefined && !usesArticleBody(asked);
  return JSON.stringify({ version: 1, ...asked, ...(byRoute ? { AgentOSType: '' } : {}), requestId });
}

async function keep(
  dependencies: IntakeDependencies,
  call: ApiRequest,
  request: AgentRequest,
  message: string,
  isNew: boolean,
): Promise<ApiResponse> {
  const { store, config, backlog } = dependencies;
  const baseUrl = baseUrlOf(call, config.publicUrl);
  const bytes = utf8.encode(message);
  // Written before anything is read, because nearly every call is the first under its id.
  const entered = await backlog.enter(request, async () => store.insert(request, bytes));
  if (entered === 'inserted') {
    await enqueue(dependencies, request, message);
    return accepted(request, baseUrl);
  }
  // A repeat gets its own answer, however many wait.
  const before = isNew && entered !== 'exists' ? undefined : (await store.get(request.requestId))?.request;
  if (before && isEnded(before.state)) return repeatOfEnded(dependencies, before, request, message, baseUrl);
  if (before || entered === 'exists') {
    return joined(dependencies, before ?? request, request, message, baseUrl);
  }
  return tooManyWaiting(entered);
}

/** A repeat of what has ended gets to know that, unless its pipeline has taken our word and asks anew. */
async function repeatOfEnded(
  dependencies: IntakeDependencies,
  before: AgentRequest,
  request: AgentRequest,
  message: string,
  baseUrl: string,
): Promise<ApiResponse> {
  const { store, backlog } = dependencies;
  const asksAnew = request.callback !== undefined && before.callback?.acknowledgedAt !== undefined;
  if (!asksAnew) return json(200, show(before, baseUrl), { ...replayed, ...locationOf(before, baseUrl) });
  const next = beginAgain(before, request);
  const entered = await backlog.enter(next, async () => store.reopen(next, utf8.encode(message)));
  if (entered === 'inserted') {
    await enqueue(dependencies, next, message);
    return accepted(next, baseUrl);
  }
  // Another call may have begun it again just now.
  const now = (await store.get(request.requestId))?.request;
  return entered === 'exists' || (now && !isEnded(now.state))
    ? joined(dependencies, now ?? next, request, message, baseUrl)
    : tooManyWaiting(entered);
}

const tooManyWaiting = ({ profile, waiting, maxWaiting }: BacklogFull): ApiResponse =>
  problem(
    'TooManyWaiting',
    `Profile "${profile}" has ${waiting} requests that wait for an agent, and its maxWaiting is ${maxWaiting}. Nothing ` +
      'was kept; send this request again later. More agents at once (its maxAlive, the nodes of its Batch pool) make ' +
      'the backlog shorter.',
    { headers: { 'retry-after': backlogRetrySeconds } },
  );

/**
 * What is in the table is accepted, whatever becomes of its message: reconcile starts a request that stays unstarted,
 * while a caller that was refused now would ask again and get two agents.
 */
async function enqueue(
  { queue, log, telemetry }: IntakeDependencies,
  { requestId, attempt, traceparent }: AgentRequest,
  message: string,
): Promise<void> {
  try {
    // Also that of a repeat: whoever repeats it, it is the same request.
    await telemetry.step(steps.send, { traceparent, requestId }, async step => {
      const carried = JSON.stringify(carrying(step));
      await queue.send(carried === '{}' ? message : `${message.slice(0, -1)},${carried.slice(1)}`);
    });
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    log.error(`Request ${requestId}: kept, but not queued; reconcile will start it: ${error.message}`, {
      requestId,
      attempt,
    });
  }
}

/** A repeat of what is alive. If it is still unstarted its message may be what was lost, so it is sent again. */
async function joined(
  dependencies: IntakeDependencies,
  found: AgentRequest,
  request: AgentRequest,
  message: string,
  baseUrl: string,
): Promise<ApiResponse> {
  const current = (await answerTooWhoWaits(dependencies.store, found, request)) ?? found;
  if (current.state === 'accepted' && current.startClaimedAt === undefined) {
    await enqueue(dependencies, current, message);
  }
  return accepted(current, baseUrl, replayed);
}

/**
 * A request that came as a message, or was redriven, has no pipeline that waits. One that joins it in time is called
 * like one that asked for it, or it would wait for nothing.
 */
async function answerTooWhoWaits(
  store: RequestStore,
  found: AgentRequest,
  { pipeline, callback, createdAt }: AgentRequest,
): Promise<AgentRequest | undefined> {
  if (callback === undefined) return found;
  return changeRequest(store, found, row =>
    row.callback?.sealedToken === undefined && beforeOnline.some(state => state === row.state)
      ? note({ ...row, pipeline, callback }, createdAt, 'Joined by a pipeline that waits.')
      : undefined,
  );
}

const beforeOnline: readonly RequestState[] = ['accepted', 'provisioning', 'starting'];

const replayed = { 'idempotent-replay': 'true' };

const locationOf = ({ requestId }: AgentRequest, baseUrl: string): Record<string, string> => ({
  location: `${baseUrl}/agents/${requestId}`,
});

const accepted = (
  request: AgentRequest,
  baseUrl: string,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse =>
  json(202, show(request, baseUrl), {
    'retry-after': retryAfterSeconds,
    ...locationOf(request, baseUrl),
    ...headers,
  });
