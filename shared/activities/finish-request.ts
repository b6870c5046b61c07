import { changeRequest } from '../change-request.js';
import { deadLetterMessage } from '../domain/dead-letter.js';
import { TransientError } from '../domain/failure.js';
import { end, note } from '../domain/lifecycle.js';
import { pipelineLog } from '../domain/pipeline-log.js';
import { type AgentRequest, type CallbackState, isEnded, pipelineWaits } from '../domain/request.js';
import { show } from '../domain/view.js';
import type { Activities, Finished, Outcome } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';
import { takeBack } from './take-back.js';
import { cannotUnseal, waitingPipeline } from './waiting-pipeline.js';

type Input = Activities['finishRequest']['input'];

/** What this run has sent: a repeat from a later row sends only what is missing. */
interface Sent {
  deadLetter?: true;
  replyQueue?: string;
}

/** Each turn means that somebody else changed what is to be cleaned up or answered. */
const maxTurns = 8;

/**
 * See {@link Activities}. The end is written last: whoever reads it may rely on everything else being done, and a
 * crash in between has everything done again.
 */
export const finishRequest =
  (dependencies: Dependencies) =>
  async (input: Input): Promise<Finished> => {
    const { store } = dependencies;
    const sent: Sent = {};
    const remembered = store.remembered(input.requestId)?.request;
    if (remembered && owesNothing(remembered, input)) {
      const finished = await finishFrom(dependencies, input, remembered, sent, 'remembered');
      if (finished !== 'changed') return finished;
    }
    for (let turn = 0; turn < maxTurns; turn += 1) {
      const before = (await store.get(input.requestId))?.request;
      if (before?.generation !== input.generation || isEnded(before.state)) return { kind: 'ended' };
      const finished = await finishFrom(dependencies, input, before, sent, 'read');
      if (finished !== 'changed') return finished;
    }
    throw new TransientError(
      'RequestContended',
      'online',
      `Request ${input.requestId} was changed by others ${maxTurns} times while it was being ended.`,
    );
  };

/**
 * Whether a row that may be out of date will do: its agent goes in any case, nobody is to be told anything, and the end
 * is written only if the row still is the same.
 */
const owesNothing = (row: AgentRequest, { generation, attempt, outcome }: Input): boolean =>
  row.generation === generation &&
  row.attempt === attempt &&
  row.replyQueue === undefined &&
  !pipelineWaits(row) &&
  outcome.planOver === undefined &&
  // One that may get a job meanwhile is spared for what its row says, and a dead letter tells from it what happened.
  (outcome.state === 'cancelled' || (outcome.state === 'completed' && row.state !== 'accepted'));

/** @returns `changed` when somebody has to be told, or something taken back, of which `before` knows nothing. */
async function finishFrom(
  dependencies: Dependencies,
  input: Input,
  before: AgentRequest,
  sent: Sent,
  known: 'remembered' | 'read',
): Promise<Finished | 'changed'> {
  const { store, queue, clock, config, log } = dependencies;
  const { outcome } = input;
  const spareBusy = await mayHaveWork(dependencies, before, outcome);
  try {
    if ((await takeBack(dependencies, before, spareBusy)) === 'busy') return { kind: 'agentBusy' };
  } catch (error) {
    // What is left may not go until an operator has acted. Whoever waits for an agent need not wait for that.
    const now = known === 'read' ? before : (await store.get(input.requestId))?.request;
    const isThere = now?.generation === input.generation && !isEnded(now.state);
    if (isThere && !spareBusy) await tellTheEnd(dependencies, now, outcome);
    throw error;
  }
  const callback = await tellTheEnd(dependencies, before, outcome);
  const at = clock.now().toISOString();
  const ended = (row: AgentRequest): AgentRequest => ({
    ...end(row, {
      to: outcome.state,
      at,
      detail: outcome.detail,
      ...(outcome.failure ? { failure: outcome.failure } : {}),
    }),
    callback: callback && { ...callback, sealedToken: undefined },
  });

  if (outcome.state === 'deadLettered' && outcome.failure && !sent.deadLetter) {
    const message = (await store.message(input.requestId)) ?? new Uint8Array();
    await queue.deadLetter(deadLetterMessage(before, outcome.failure, message, at));
    sent.deadLetter = true;
  }
  if (before.replyQueue !== undefined && before.replyQueue !== sent.replyQueue) {
    await queue.reply(before.replyQueue, JSON.stringify(show(ended(before), config.publicUrl)));
    sent.replyQueue = before.replyQueue;
  }
  let isSame = true;
  await changeRequest(store, input, row => {
    const isAnswered = row.callback?.acknowledgedAt;
    isSame =
      isEnded(row.state) ||
      (owesTheSame(row, before) &&
        [before.callback?.acknowledgedAt, callback?.acknowledgedAt].includes(isAnswered));
    return isEnded(row.state) || !isSame ? undefined : ended(row);
  });
  if (!isSame) return 'changed';
  log.info(`Request ${input.requestId} attempt ${input.attempt}: ${outcome.state}. ${outcome.detail}`, {
    requestId: input.requestId,
    attempt: input.attempt,
    state: outcome.state,
    code: outcome.failure?.code,
  });
  return { kind: 'ended' };
}

/** Whether nobody has joined, and nothing was made, since a row was read. */
const owesTheSame = (row: AgentRequest, before: AgentRequest): boolean =>
  row.replyQueue === before.replyQueue &&
  row.pipeline?.taskInstanceId === before.pipeline?.taskInstanceId &&
  (pipelineWaits(before) || !pipelineWaits(row)) &&
  row.agentName === before.agentName &&
  row.batch?.taskId === before.batch?.taskId &&
  row.batch?.jobId === before.batch?.jobId;

const tellTheEnd = async (
  dependencies: Dependencies,
  request: AgentRequest,
  outcome: Outcome,
): Promise<CallbackState | undefined> =>
  outcome.planOver === undefined
    ? answerPipeline(dependencies, request, outcome)
    : { ...request.callback, refusedWith: outcome.planOver };

/** What is known of the pipeline; at once in the row, because if anything after it fails it must not be told twice. */
async function keepCallback(
  { store, clock }: Dependencies,
  request: AgentRequest,
  callback: CallbackState,
): Promise<CallbackState> {
  await changeRequest(store, request, row => {
    if (isEnded(row.state)) return undefined;
    const next = { ...row, callback };
    return callback.refusedWith === undefined
      ? next
      : note(
          next,
          clock.now().toISOString(),
          `The pipeline did not take our completion: ${callback.refusedWith}`,
        );
  });
  return callback;
}

/** An agent that nobody had seen at work when this end was decided; a job may have come to it meanwhile. */
async function mayHaveWork(
  { compute }: Dependencies,
  { state, batch }: AgentRequest,
  outcome: Outcome,
): Promise<boolean> {
  if (outcome.state !== 'deadLettered') return outcome.state === 'expired';
  // An agent whose task is over counts as busy for a while, and is lost all the same.
  return state === 'starting' && batch !== undefined && (await compute.getTask(batch))?.state === 'running';
}

/** Fails the server task of a pipeline that still waits, with a reason that its author understands. */
async function answerPipeline(
  dependencies: Dependencies,
  request: AgentRequest,
  outcome: Outcome,
): Promise<CallbackState | undefined> {
  const { store, pipeline, clock, config, log } = dependencies;
  const waiting = waitingPipeline(dependencies, request);
  if (!waiting) {
    if (!pipelineWaits(request)) return request.callback;
    log.error(
      `Request ${request.requestId}: its job token can't be unsealed; was CallbackTokenKey replaced?`,
      { requestId: request.requestId, attempt: request.attempt },
    );
    return keepCallback(dependencies, request, { ...request.callback, refusedWith: cannotUnseal });
  }
  const { context, token } = waiting;
  const sentBefore = request.callback?.result;
  const line = pipelineLog.noAgent(request, outcome, config.publicUrl);

  const told = await changeRequest(store, request, row =>
    isEnded(row.state) || !pipelineWaits(row)
      ? undefined
      : { ...row, callback: { ...row.callback, result: 'failed' } },
  );
  if (!told || isEnded(told.state)) return request.callback;
  // It was released at this very moment.
  if (!pipelineWaits(told)) return told.callback;
  await Promise.all([
    pipeline.tell(context, token, [line]),
    pipeline.annotate(context, token, {
      error: line,
      log: [...request.history.map(entry => `${entry.at} ${entry.state}: ${entry.detail}`), line],
    }),
  ]);
  const answer = await pipeline.complete(context, token, 'failed');
  const at = clock.now().toISOString();
  const callback: CallbackState =
    answer.kind === 'acknowledged' || (answer.kind === 'refused' && sentBefore !== undefined)
      ? {
          ...request.callback,
          // Refused because what was sent before a crash had arrived: then that is what the pipeline was told.
          result: answer.kind === 'acknowledged' ? 'failed' : sentBefore,
          acknowledgedAt: at,
        }
      : { ...request.callback, result: 'failed', refusedWith: answer.reason };
  if (callback.refusedWith !== undefined) {
    log.warn(`Request ${request.requestId}: completion refused (${callback.refusedWith}).`, {
      requestId: request.requestId,
      attempt: request.attempt,
    });
  }
  return keepCallback(dependencies, request, callback);
}
