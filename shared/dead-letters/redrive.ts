import type { Config } from '../config.js';
import { isDeadLetter } from '../domain/dead-letter.js';
import { TransientError } from '../domain/failure.js';
import { beginAgain } from '../domain/lifecycle.js';
import type { AgentRequest } from '../domain/request.js';
import { inBatches } from '../in-batches.js';
import { newRequest, readWanted, usesArticleBody, type Wanted } from '../input/new-request.js';
import { readMessage, type UnderstoodMessage } from '../input/read-message.js';
import type { RequestQueue, Step, Telemetry } from '../ports.js';
import { carrying } from '../telemetry/carrying.js';
import { steps } from '../telemetry/steps.js';
import { type DeadLetterResult, noDeadLetter } from './result.js';
import { type SweepDependencies, sweepQueue } from './sweep-queue.js';

export interface RedriveDependencies extends SweepDependencies {
  readonly config: Config;
  readonly queue: RequestQueue;
  readonly telemetry: Telemetry;
}

const atOnce = 8;

/**
 * Begins dead letters again as the next generation of their requests. It may stop anywhere and be asked for again:
 * what lives already is left alone, and only its letter is still to be taken out of the queue.
 *
 * @param dryRun says what would happen and does nothing.
 * @returns one result for each id.
 * @throws TransientError when storage can't be reached; what was redriven by then is.
 */
export const redrive =
  (dependencies: RedriveDependencies) =>
  async (requestIds: readonly string[], { dryRun }: { readonly dryRun: boolean }) => {
    const results = await inBatches([...new Set(requestIds)], atOnce, async requestId =>
      redriveOne(dependencies, requestId, dryRun),
    );
    if (!dryRun) await sweepQueue(dependencies);
    return results;
  };

async function redriveOne(
  dependencies: RedriveDependencies,
  requestId: string,
  dryRun: boolean,
): Promise<DeadLetterResult> {
  const { store, config, clock, log, telemetry } = dependencies;
  const before = (await store.get(requestId))?.request;
  if (!before || !isDeadLetter(before)) return noDeadLetter(requestId, before);
  const message = await store.message(requestId);
  if (!message) return refused(requestId, 'Its original message is not in the table.');
  // Under today's settings: what was wrong with a profile then may have been mended since.
  const read = readMessage(config, message);
  if (read.kind === 'invalid')
    return refused(requestId, `Its message can not be understood: ${read.reason}.`);
  if (read.kind === 'bundle')
    return refused(
      requestId,
      'Its message is a bundle of the intake, whose requests are in the table, each by itself.',
    );
  if (dryRun)
    return { requestId, outcome: 'redrivable', detail: `It would be redriven; ${failedWith(before)}.` };

  const next = beginAgain(before, {
    ...newRequest(requestId, read.message, wantedNow(config, before, read), clock.now().toISOString(), {
      replyQueue: read.message.replyQueue ?? stillAllowed(config, before.replyQueue),
      detail: `Redriven by an operator; ${failedWith(before)}.`,
      // What became of a request is one story, however often it was begun.
      traceparent: before.traceparent,
    }),
    pipeline: before.pipeline,
    callback: toldBefore(before),
  });
  if ((await store.reopen(next, message)) === 'exists') {
    return noDeadLetter(requestId, (await store.get(requestId))?.request);
  }
  const { traceparent, attempt } = next;
  await telemetry.step(steps.redrive, { traceparent, requestId, attempt }, async step => {
    await start(dependencies, next, step);
    log.info(`Request ${requestId} is redriven as generation ${next.generation}; ${failedWith(before)}.`, {
      requestId,
      attempt,
    });
  });
  return { requestId, outcome: 'redriven', detail: `It begins again as generation ${next.generation}.` };
}

const refused = (requestId: string, detail: string): DeadLetterResult => ({
  requestId,
  outcome: 'refused',
  detail,
});

const failedWith = ({ failure }: AgentRequest): string => `it had failed with ${failure?.code ?? 'no code'}`;

/** A message that names no profile got the first one at its time; that it is not the first today changes nothing. */
function wantedNow(config: Config, before: AgentRequest, { message, wanted }: UnderstoodMessage): Wanted {
  if (message.profile !== undefined || usesArticleBody(message) || !config.profiles.has(before.profile)) {
    return wanted;
  }
  const kept = readWanted(config, { ...message, profile: before.profile }, false);
  return kept.ok ? kept.value : wanted;
}

const stillAllowed = (config: Config, replyQueue: string | undefined): string | undefined =>
  replyQueue !== undefined && config.replyQueues.includes(replyQueue) ? replyQueue : undefined;

/**
 * The pipeline was told `failed` and is called no more. That it took our word stays known, so that it may still ask
 * anew; a token never does.
 */
const toldBefore = ({ callback }: AgentRequest): AgentRequest['callback'] =>
  callback?.acknowledgedAt === undefined ? undefined : { ...callback, sealedToken: undefined };

/** What is in the table goes on whatever becomes of the message: reconcile starts what stays unstarted. */
async function start(
  { queue, log, telemetry }: RedriveDependencies,
  { requestId, attempt }: AgentRequest,
  { traceparent }: Step,
): Promise<void> {
  try {
    await telemetry.step(steps.send, { traceparent, requestId }, async step =>
      queue.send(JSON.stringify({ version: 1, requestId, ...carrying(step) })),
    );
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    log.error(`Request ${requestId}: redriven, but not queued; reconcile will start it: ${error.message}`, {
      requestId,
      attempt,
    });
  }
}
