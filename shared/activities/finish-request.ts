import { changeRequest } from '../change-request.js';
import { deadLetterMessage } from '../domain/dead-letter.js';
import { end, note } from '../domain/lifecycle.js';
import { pipelineLog } from '../domain/pipeline-log.js';
import { type AgentRequest, type CallbackState, isEnded, pipelineWaits } from '../domain/request.js';
import { show } from '../domain/view.js';
import type { Activities, Finished, Outcome } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';
import { takeBack } from './take-back.js';
import { cannotUnseal, waitingPipeline } from './waiting-pipeline.js';

/**
 * See {@link Activities}. The end is written last: whoever reads it may rely on everything else being done, and a
 * crash in between has everything done again.
 */
export const finishRequest =
  (dependencies: Dependencies) =>
  async (input: Activities['finishRequest']['input']): Promise<Finished> => {
    const { store, queue, clock, config, log } = dependencies;
    const { outcome } = input;
    const before = (await store.get(input.requestId))?.request;
    if (before?.generation !== input.generation || isEnded(before.state)) return { kind: 'ended' };

    const spareBusy = await mayHaveWork(dependencies, before, outcome);
    try {
      if ((await takeBack(dependencies, before, spareBusy)) === 'busy') return { kind: 'agentBusy' };
    } catch (error) {
      // What is left may not go until an operator has acted. Whoever waits for an agent need not wait for that.
      if (!spareBusy) await tellTheEnd(dependencies, before, outcome);
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

    if (outcome.state === 'deadLettered' && outcome.failure) {
      const message = (await store.message(input.requestId)) ?? new Uint8Array();
      await queue.deadLetter(deadLetterMessage(before, outcome.failure, message, at));
    }
    if (before.replyQueue) {
      await queue.reply(before.replyQueue, JSON.stringify(show(ended(before), config.publicUrl)));
    }
    await changeRequest(store, input, row => (isEnded(row.state) ? undefined : ended(row)));
    log.info(`Request ${input.requestId} attempt ${input.attempt}: ${outcome.state}. ${outcome.detail}`);
    return { kind: 'ended' };
  };

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
  const { store, pipeline, clock, log } = dependencies;
  const waiting = waitingPipeline(dependencies, request);
  if (!waiting) {
    if (!pipelineWaits(request)) return request.callback;
    log.error(
      `Request ${request.requestId}: its job token can't be unsealed; was CallbackTokenKey replaced?`,
    );
    return keepCallback(dependencies, request, { ...request.callback, refusedWith: cannotUnseal });
  }
  const { context, token } = waiting;
  const sentBefore = request.callback?.result;
  const line = outcome.failure
    ? pipelineLog.failed(request, outcome.failure)
    : pipelineLog.cancelled(request);

  const told = await changeRequest(store, request, row =>
    isEnded(row.state) ? undefined : { ...row, callback: { ...row.callback, result: 'failed' } },
  );
  if (!told || isEnded(told.state)) return request.callback;
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
    log.warn(`Request ${request.requestId}: completion refused (${callback.refusedWith}).`);
  }
  return keepCallback(dependencies, request, callback);
}
