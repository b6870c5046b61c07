import { changeRequest } from '../change-request.js';
import { TransientError } from '../domain/failure.js';
import { type AgentRequest, isEnded } from '../domain/request.js';
import { readTraceparent } from '../domain/traceparent.js';
import { show } from '../domain/view.js';
import { inBatches } from '../in-batches.js';
import { newRequest } from '../input/new-request.js';
import {
  type Bundle,
  readMessage,
  type UnderstoodInBundle,
  type UnderstoodMessage,
} from '../input/read-message.js';
import { requestIdOfMessage } from '../input/request-id.js';
import type { Log, RequestQueue, Step, StoredRequest, Telemetry } from '../ports.js';
import { steps } from '../telemetry/steps.js';
import { type BeginDependencies, beginLifecycle } from './begin-lifecycle.js';
import { askedByMessage, refuseMessage } from './refuse-message.js';

export interface DispatchDependencies extends BeginDependencies {
  readonly queue: RequestQueue;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** host.json's `maxDequeueCount`: a message whose last delivery fails goes to the poison queue. */
export const lastDelivery = 5;

/** So many of a bundle at once: the host works at several messages already. */
const atOnce = 4;

/**
 * Takes one message off the queue: our own intake's, whose request is in the table already, alone or in a bundle, or
 * another system's, whose request is written now. Returning lets the message go, throwing has it delivered again.
 *
 * @param bytes the message, as it was sent.
 * @param messageId the queue's own id of it, the same for every delivery.
 * @param delivery which delivery of it this is, from 1.
 */
export const dispatchMessage =
  (dependencies: DispatchDependencies) =>
  async (bytes: Uint8Array, messageId: string, delivery: number): Promise<void> => {
    const read = readMessage(dependencies.config, bytes);
    if (read.kind === 'invalid') {
      const { traceparent } = read;
      return dependencies.telemetry.step(steps.process, { traceparent }, async step => {
        step.note({ delivery });
        return refuseMessage(dependencies, bytes, messageId, read, step);
      });
    }
    if (read.kind === 'bundle') {
      return eachOfBundle(dependencies, read, async each =>
        dispatchUnderstood(dependencies, each, each.message.requestId, each.bytes, delivery),
      );
    }
    const requestId = read.message.requestId ?? requestIdOfMessage(messageId);
    return dispatchUnderstood(dependencies, read, requestId, bytes, delivery);
  };

/**
 * Does something for each request of a bundle; one that fails keeps no other from it.
 *
 * @throws the first error, when all are through.
 */
export async function eachOfBundle(
  { log }: Pick<DispatchDependencies, 'log'>,
  { messages }: Bundle,
  action: (each: UnderstoodInBundle) => Promise<void>,
): Promise<void> {
  const ofRequest = new Map<string, UnderstoodInBundle>();
  // Sent twice, it may be in one bundle twice, and would only stand in its own way.
  for (const each of messages) {
    if (!ofRequest.has(each.message.requestId)) ofRequest.set(each.message.requestId, each);
  }
  const errors: unknown[] = [];
  await inBatches([...ofRequest.values()], atOnce, async each => {
    try {
      await action(each);
    } catch (error) {
      errors.push(error);
      log.warn(`Request ${each.message.requestId}, one of a bundle of ${ofRequest.size}: ${String(error)}`, {
        requestId: each.message.requestId,
      });
    }
  });
  if (errors.length > 0) throw errors[0];
}

/** @param bytes the message by itself, as it is kept with a request that is not in the table yet. */
export async function dispatchUnderstood(
  dependencies: DispatchDependencies,
  understood: UnderstoodMessage,
  requestId: string,
  bytes: Uint8Array,
  delivery: number,
): Promise<void> {
  const { store, telemetry } = dependencies;
  const known = store.remembered(requestId)?.request.traceparent;
  const traceparent = readTraceparent(understood.message.traceparent) ?? known;
  return telemetry.step(steps.process, { traceparent, requestId }, async step =>
    takeIn(dependencies, understood, { requestId, bytes, delivery }, step),
  );
}

async function takeIn(
  dependencies: DispatchDependencies,
  { message, wanted }: UnderstoodMessage,
  { requestId, bytes, delivery }: Delivered,
  step: Step,
): Promise<void> {
  const { traceparent } = step;
  step.note({ profile: wanted.profile.name, delivery });
  const { store, clock } = dependencies;
  let stored = message.replyQueue === undefined ? unclaimed(store, requestId) : undefined;
  stored ??= await store.get(requestId);
  if (!stored) {
    const request = newRequest(requestId, message, wanted, clock.now().toISOString(), {
      replyQueue: message.replyQueue,
      detail: askedByMessage,
      traceparent,
    });
    await store.insert(request, bytes);
    stored = unclaimed(store, requestId) ?? (await store.get(requestId));
  } else if (message.replyQueue !== undefined) {
    await replyAgain(dependencies, stored.request, message.replyQueue);
    stored = await answerThereToo(dependencies, stored, message.replyQueue);
  }
  if (stored) await begin(dependencies, stored, delivery, traceparent);
}

interface Delivered {
  readonly requestId: string;
  readonly bytes: Uint8Array;
  readonly delivery: number;
}

/**
 * A request that this process remembers as one that nobody has begun to start. It may be out of date: the claim is all
 * that follows from it, and storage refuses that then.
 */
function unclaimed(store: DispatchDependencies['store'], requestId: string): StoredRequest | undefined {
  const stored = store.remembered(requestId);
  return stored?.request.generation === 1 && stored.request.startClaimedAt === undefined ? stored : undefined;
}

async function begin(
  dependencies: DispatchDependencies,
  stored: StoredRequest,
  delivery: number,
  traceparent: string | undefined,
): Promise<void> {
  const { requestId, attempt } = stored.request;
  let found: Awaited<ReturnType<typeof beginLifecycle>>;
  try {
    found = await beginLifecycle(dependencies, stored, traceparent);
  } catch (error) {
    if (delivery < lastDelivery) throw error;
    // The request is in the table, so reconcile starts it; in the poison queue its message would look unheard.
    dependencies.log.error(`Request ${requestId}: not started, reconcile will do it: ${String(error)}`, {
      requestId,
      attempt,
    });
    return;
  }
  if (found === 'started') {
    dependencies.log.info(`Request ${requestId}: its orchestration is started.`, { requestId, attempt });
  }
  // A message that comes for the first time repeats another, which is making the start this moment. One that comes
  // again may have claimed the start itself and died over it: it has to come back until the start is made.
  if (found === 'claimed' && delivery > 1 && delivery < lastDelivery) {
    throw new TransientError(
      'StartClaimed',
      'intake',
      `Request ${requestId} is being started by another delivery.`,
    );
  }
}

/** Whoever sent the message again may have missed the answer. */
async function replyAgain(
  { queue, config }: DispatchDependencies,
  request: AgentRequest,
  replyQueue: string,
): Promise<void> {
  if (isEnded(request.state) || request.onlineAt !== undefined) {
    await queue.reply(replyQueue, JSON.stringify(show(request, config.publicUrl)));
  }
}

/** A message may join a request that was asked for over HTTP, where nobody had a queue to be answered on. */
async function answerThereToo(
  { store }: DispatchDependencies,
  stored: StoredRequest,
  replyQueue: string,
): Promise<StoredRequest | undefined> {
  const { request } = stored;
  if (isEnded(request.state) || request.replyQueue !== undefined) return stored;
  await changeRequest(store, request, row => (isEnded(row.state) ? undefined : { ...row, replyQueue }));
  return store.get(request.requestId);
}
