import type { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { OutputData } from '../core-types.js';
import { openQueue, storageStatus } from '../storage.js';
import { fillIn } from './binding-data.js';
import type { OutputBinding } from './output.js';

export type MessageEncoding = 'base64' | 'none';

const QueueOutput = z.looseObject({ queueName: z.string().min(1), connection: z.string().optional() });

export interface QueueOutputOptions {
  readonly encoding: MessageEncoding;
  resolve(text: string, where: string): string;
  connection(name: string | undefined, where: string): string;
  /** Told each queue that got a message, so that a listener of this host need not wait for its next poll. */
  sent(queueName: string): void;
}

/** Storage queue outputs; an array is one message per element, as in Azure. */
export function queueOutput(options: QueueOutputOptions): OutputBinding {
  const queues = new Map<string, QueueClient>();
  const open = (connection: string, queueName: string): QueueClient => {
    const key = `${connection}\n${queueName}`;
    const queue = queues.get(key) ?? openQueue(connection, queueName);
    queues.set(key, queue);
    return queue;
  };
  return {
    type: 'queue',
    async send({ binding, data, bindingData, where }) {
      const { queueName, connection } = QueueOutput.parse(binding);
      const resolved = fillIn(options.resolve(queueName, where), bindingData, where);
      const queue = open(options.connection(connection, where), resolved);
      for (const message of toMessages(data)) {
        await sendMessage(queue, encodeMessage(message, options.encoding));
      }
      options.sent(resolved);
    },
  };
}

const encodeMessage = (bytes: Uint8Array | string, encoding: MessageEncoding): string => {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes);
  return encoding === 'base64' ? buffer.toString('base64') : buffer.toString('utf8');
};

async function sendMessage(queue: QueueClient, text: string): Promise<void> {
  try {
    await queue.sendMessage(text);
  } catch (error) {
    if (storageStatus(error) !== 404) throw error;
    await queue.createIfNotExists();
    await queue.sendMessage(text);
  }
}

/** Texts (or bytes) of the messages that one output value stands for. */
function toMessages(data: OutputData): (string | Uint8Array)[] {
  if (data.bytes) return [data.bytes];
  if (data.string !== undefined) return [data.string];
  if (data.int !== undefined) return [String(data.int)];
  if (data.double !== undefined) return [String(data.double)];
  if (data.json === undefined) return [];
  const value: unknown = JSON.parse(data.json);
  if (!Array.isArray(value)) return [data.json];
  return value.map(item => (typeof item === 'string' ? item : JSON.stringify(item)));
}
