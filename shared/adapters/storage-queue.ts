import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { Stage } from '../domain/failure.js';
import type { DrainableQueue, HeldMessage, RequestQueue } from '../ports.js';
import { bundleMessages } from './bundled-messages.js';
import { factsOf } from './service-errors.js';
import { type StorageAccount, storageRetries } from './storage-account.js';
import { storageError } from './storage-errors.js';

export interface StorageQueueOptions {
  readonly account: StorageAccount;
  /** Default `agent-requests`. */
  readonly requestQueue?: string;
  /** Default `agent-requests-deadletter`. */
  readonly deadLetterQueue?: string;
}

/** A message for a queue that no queue can take, however often it is tried. */
class MessageTooLargeError extends Error {
  override readonly name = 'MessageTooLargeError';
}

const requestQueueName = 'agent-requests';
export const deadLetterQueueName = 'agent-requests-deadletter';
/** Where the host moves a message that it has delivered too often; its name is the host's. */
export const poisonQueueName = `${requestQueueName}-poison`;

const maxMessageBytes = 64 * 1024;
const callTimeoutMs = 10_000;
/** Never: a request or a dead letter that vanishes after the default seven days was lost without a trace. */
const neverExpires = -1;

/** Messages are JSON text as it is, not base64 of it. Requests that are sent at the same time go in bundles. */
export function createStorageQueue(options: StorageQueueOptions): RequestQueue {
  const { requestQueue = requestQueueName, deadLetterQueue = deadLetterQueueName } = options;
  const service = openQueueService(options.account);
  const queues = new Map<string, QueueClient>();
  /** Each client has a pipeline context of its own, which is worth keeping. */
  const queueNamed = (name: string): QueueClient => {
    const queue = queues.get(name) ?? service.getQueueClient(name);
    queues.set(name, queue);
    return queue;
  };

  async function put(queueName: string, message: string, stage: Stage): Promise<void> {
    const bytes = Buffer.byteLength(message, 'utf8');
    if (bytes > maxMessageBytes) {
      throw new MessageTooLargeError(
        `A message of ${bytes} bytes does not fit into queue ${queueName}, which takes ${maxMessageBytes}.`,
      );
    }
    const queue = queueNamed(queueName);
    const send = () =>
      queue.sendMessage(fitForXml(message), {
        messageTimeToLive: neverExpires,
        abortSignal: AbortSignal.timeout(callTimeoutMs),
      });
    try {
      try {
        await send();
      } catch (error) {
        if (factsOf(error).code !== 'QueueNotFound') throw error;
        await queue.createIfNotExists({ abortSignal: AbortSignal.timeout(callTimeoutMs) });
        await send();
      }
    } catch (error) {
      throw storageError(error, stage, `Queue ${queueName} took no message`);
    }
  }

  return {
    send: bundleMessages(message => put(requestQueue, message, 'intake')),
    reply: (queue, message) => put(queue, message, 'online'),
    deadLetter: message => put(deadLetterQueue, message, 'online'),
  };
}

/** As many as the service gives at once. */
const receiveAtOnce = 32;
/** Time enough to settle them; whoever dies over it gives them back by that. */
const holdSeconds = 60;

/** A queue to look through. */
export function createDrainableQueue(account: StorageAccount, queueName: string): DrainableQueue {
  const queue = openQueueService(account).getQueueClient(queueName);
  const abortSignal = () => AbortSignal.timeout(callTimeoutMs);

  const settle = async (what: string, action: () => Promise<unknown>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      // Gone, or held by somebody else since our minute was over: not ours to settle any more.
      const { status, code } = factsOf(error);
      if (status === 404 || code === 'PopReceiptMismatch') return;
      throw storageError(error, 'intake', `A message in queue ${queueName} can't be ${what}`);
    }
  };

  return {
    receive: async () => {
      try {
        const { receivedMessageItems } = await queue.receiveMessages({
          numberOfMessages: receiveAtOnce,
          visibilityTimeout: holdSeconds,
          abortSignal: abortSignal(),
        });
        return receivedMessageItems.map(
          ({ messageId, messageText, popReceipt }): HeldMessage => ({
            messageId,
            text: messageText,
            receipt: popReceipt,
          }),
        );
      } catch (error) {
        if (factsOf(error).code === 'QueueNotFound') return [];
        throw storageError(error, 'intake', `Queue ${queueName} can't be looked through`);
      }
    },
    remove: ({ messageId, receipt }) =>
      settle('removed', () => queue.deleteMessage(messageId, receipt, { abortSignal: abortSignal() })),
    // Without its text: what is not sent can't be changed on the way.
    giveBack: ({ messageId, receipt }) =>
      settle('given back', () =>
        queue.updateMessage(messageId, receipt, undefined, 0, { abortSignal: abortSignal() }),
      ),
  };
}

export function openQueueService(account: StorageAccount): QueueServiceClient {
  const options = {
    retryOptions: {
      maxTries: storageRetries.maxRetries + 1,
      retryDelayInMs: storageRetries.retryDelayInMs,
      maxRetryDelayInMs: storageRetries.maxRetryDelayInMs,
      tryTimeoutInMs: callTimeoutMs,
    },
  };
  return 'connectionString' in account
    ? QueueServiceClient.fromConnectionString(account.connectionString, options)
    : new QueueServiceClient(account.serviceUri, account.credential, options);
}

/** The two characters that JSON takes as they are and XML, which carries messages, does not. */
const fitForXml = (json: string): string =>
  json.replaceAll('\uFFFE', String.raw`\uFFFE`).replaceAll('\uFFFF', String.raw`\uFFFF`);
