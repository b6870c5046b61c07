import type { Config } from '../config.js';
import { deadLetterMessage } from '../domain/dead-letter.js';
import type { OwnFailure } from '../domain/failure.js';
import { end } from '../domain/lifecycle.js';
import { type AgentRequest, acceptedRequest, isEnded } from '../domain/request.js';
import { show } from '../domain/view.js';
import type { InvalidMessage } from '../input/read-message.js';
import { requestIdOfMessage } from '../input/request-id.js';
import type { Clock, Log, RequestQueue, RequestStore, Step } from '../ports.js';

export interface RefuseDependencies {
  readonly config: Config;
  readonly store: RequestStore;
  readonly queue: RequestQueue;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the history of a request begins that no HTTP call asked for. */
export const askedByMessage = 'Asked for by a queue message.';

/** A message that can't be understood ends as a dead letter, visible in the table like any other request. */
export async function refuseMessage(
  { store, queue, clock, config, log }: RefuseDependencies,
  bytes: Uint8Array,
  messageId: string,
  read: InvalidMessage,
  step: Step,
): Promise<void> {
  const requestId = await idOfRefused(store, bytes, messageId, read.requestId);
  step.note({ requestId, code: read.code });
  const before = (await store.get(requestId))?.request;
  if (before && isEnded(before.state)) {
    // It was refused before: only its answer may have been missed.
    if (read.replyQueue) await queue.reply(read.replyQueue, JSON.stringify(show(before, config.publicUrl)));
    return;
  }
  const at = clock.now().toISOString();
  const failure: OwnFailure = {
    code: read.code,
    stage: 'intake',
    message: `The message can not be understood: ${read.reason}.`,
    retryable: false,
  };
  const accepted: AgentRequest = {
    // Nothing of it could be believed, so nothing of it is shown.
    ...acceptedRequest(requestId, at, askedByMessage),
    replyQueue: read.replyQueue,
    traceparent: step.traceparent,
  };
  const ended = end(accepted, {
    to: 'deadLettered',
    at,
    detail: `${failure.code}: ${failure.message}`,
    failure,
  });

  await queue.deadLetter(deadLetterMessage(ended, failure, bytes, at));
  if (read.replyQueue) await queue.reply(read.replyQueue, JSON.stringify(show(ended, config.publicUrl)));
  await store.insert(accepted, bytes);
  const stored = await store.get(requestId);
  if (stored && !isEnded(stored.request.state)) await store.replace(stored, ended);
  log.warn(
    `Queue message ${messageId} is dead-lettered as request ${requestId}: ${failure.code}: ${read.reason}`,
    { requestId, attempt: ended.attempt, code: failure.code },
  );
}

/** The id that the message asks for, unless another message has it; a redelivery finds what it made before. */
async function idOfRefused(
  store: RequestStore,
  bytes: Uint8Array,
  messageId: string,
  asked: string | undefined,
): Promise<string> {
  const ownId = requestIdOfMessage(messageId);
  const taken = asked === undefined ? undefined : (await store.get(asked))?.request;
  if (asked === undefined || !taken) return asked ?? ownId;
  const message = await store.message(asked);
  const isSame = taken.profile === '' && message !== undefined && Buffer.compare(message, bytes) === 0;
  return isSame ? asked : ownId;
}
