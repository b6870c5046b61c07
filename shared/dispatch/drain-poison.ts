import { deadLetterMessage } from '../domain/dead-letter.js';
import type { OwnFailure } from '../domain/failure.js';
import { remedyFor } from '../domain/failure-guide.js';
import { end } from '../domain/lifecycle.js';
import { readTraceparent } from '../domain/traceparent.js';
import { show } from '../domain/view.js';
import { newRequest } from '../input/new-request.js';
import { readMessage, type UnderstoodMessage } from '../input/read-message.js';
import { requestIdOfMessage } from '../input/request-id.js';
import type { DrainableQueue, HeldMessage } from '../ports.js';
import {
  type DispatchDependencies,
  dispatchMessage,
  dispatchUnderstood,
  eachOfBundle,
  lastDelivery,
} from './dispatch-message.js';

export interface DrainDependencies extends DispatchDependencies {
  readonly poison: DrainableQueue;
}

/** A round takes no more, so that the next one does not begin beside it. */
const atMost = 320;

const undelivered: OwnFailure = {
  code: 'DeliveryFailed',
  stage: 'intake',
  message: `The message was delivered ${lastDelivery} times and could not be taken in. ${remedyFor('DeliveryFailed')}`,
  retryable: true,
};

/**
 * Empties the queue that the host moves a message to when it has failed too often: each becomes a dead letter like
 * any other, or proves to be a repeat of a request that is in the table. A message is removed last, so whoever dies
 * in between has it come back.
 */
export const drainPoison = (dependencies: DrainDependencies) => async (): Promise<void> => {
  const { poison, log } = dependencies;
  for (let taken = 0; taken < atMost; ) {
    const held = await poison.receive();
    if (held.length === 0) return;
    taken += held.length;
    for (const message of held) {
      try {
        await settle(dependencies, message);
        await poison.remove(message);
      } catch (error) {
        // It comes back by itself, when it has been hidden for its time.
        log.error(`Poison message ${message.messageId} could not be settled: ${String(error)}`, {
          messageId: message.messageId,
        });
      }
    }
  }
};

async function settle(dependencies: DrainDependencies, { messageId, text }: HeldMessage): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const read = readMessage(dependencies.config, bytes);
  if (read.kind === 'invalid') {
    // Refused, as if it were delivered once more.
    await dispatchMessage(dependencies)(bytes, messageId, lastDelivery);
  } else if (read.kind === 'bundle') {
    // Each by itself: a letter for the whole would stand for no request, and those of the others be missing.
    await eachOfBundle(dependencies, read, async each =>
      settleUnderstood(dependencies, each, each.message.requestId, each.bytes, messageId),
    );
  } else {
    const requestId = read.message.requestId ?? requestIdOfMessage(messageId);
    await settleUnderstood(dependencies, read, requestId, bytes, messageId);
  }
}

async function settleUnderstood(
  dependencies: DrainDependencies,
  read: UnderstoodMessage,
  requestId: string,
  bytes: Uint8Array,
  messageId: string,
): Promise<void> {
  const { store, log } = dependencies;
  if (!(await store.get(requestId))) {
    await deadLetter(dependencies, read, requestId, bytes);
    return;
  }
  // Told to its request, as if it were delivered once more.
  await dispatchUnderstood(dependencies, read, requestId, bytes, lastDelivery);
  log.warn(`Poison message ${messageId} is a repeat: its request ${requestId} is in the table.`, {
    requestId,
    messageId,
  });
}

async function deadLetter(
  { store, queue, clock, config, log }: DrainDependencies,
  { message, wanted }: UnderstoodMessage,
  requestId: string,
  bytes: Uint8Array,
): Promise<void> {
  const at = clock.now().toISOString();
  const accepted = newRequest(requestId, message, wanted, at, {
    replyQueue: message.replyQueue,
    detail: 'Asked for by a queue message.',
    traceparent: readTraceparent(message.traceparent),
  });
  const ended = end(accepted, {
    to: 'deadLettered',
    at,
    detail: `${undelivered.code}: ${undelivered.message}`,
    failure: undelivered,
  });
  await queue.deadLetter(deadLetterMessage(ended, undelivered, bytes, at));
  if (message.replyQueue)
    await queue.reply(message.replyQueue, JSON.stringify(show(ended, config.publicUrl)));
  // Ended from the first: as a live row, seen for a moment, reconcile would start it.
  await store.insert(ended, bytes);
  log.warn(`A message that could not be delivered is dead-lettered as request ${requestId}.`, {
    requestId,
    attempt: ended.attempt,
    code: undelivered.code,
  });
}
