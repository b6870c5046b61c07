import { expand, type Variables } from './macros.js';
import type { BusMessage } from './rows.js';

/** Publishes a message of a pipeline. @throws {Error} a sentence, when it did not get there. */
export type SendToQueue = (message: BusMessage, variables: Variables) => Promise<void>;

/** Where whatever forwards the messages puts them. */
const queueName = 'agent-requests';

/**
 * There is no Service Bus on this machine: what forwards its messages to the product's own queue, is played along with
 * it. The body alone is carried, as the product takes nothing else.
 */
export function forwardTo(storage: string): SendToQueue {
  return async (message, variables) => {
    // Few pipelines publish, and to load the client takes longer than all else of the start.
    const { QueueClient } = await import('@azure/storage-queue');
    const queue = new QueueClient(storage, queueName);
    await queue.createIfNotExists();
    await queue.sendMessage(expand(message.messageBody, variables));
  };
}
