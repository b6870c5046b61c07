import type { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { FunctionMetadata, InvocationResponse, OutputData } from './core-types.js';
import { openQueue, storageStatus } from './storage.js';

export type MessageEncoding = 'base64' | 'none';

export const encodeMessage = (bytes: Uint8Array | string, encoding: MessageEncoding): string => {
  const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes);
  return encoding === 'base64' ? buffer.toString('base64') : buffer.toString('utf8');
};

const QueueOutput = z.looseObject({ queueName: z.string().min(1), connection: z.string().optional() });

export interface QueueOutputOptions {
  readonly encoding: MessageEncoding;
  resolve(text: string, where: string): string;
  connection(name: string | undefined, where: string): string;
  /** Told each queue that got a message, so that a listener of this host need not wait for its next poll. */
  sent(queueName: string): void;
}

/** Sends what functions leave in their storage queue outputs. */
export class QueueOutputs {
  readonly #queues = new Map<string, QueueClient>();

  constructor(private readonly options: QueueOutputOptions) {}

  /** Sends all queue messages of an invocation; an array is one message per element, as in Azure. */
  async send(metadata: FunctionMetadata, response: InvocationResponse): Promise<void> {
    for (const [name, binding] of Object.entries(metadata.bindings)) {
      if (binding.direction !== 'out' || binding.type.toLowerCase() !== 'queue') continue;
      const data =
        name === '$return'
          ? response.returnValue
          : response.outputData.find(output => output.name === name)?.data;
      if (!data) continue;
      const { queueName, connection } = QueueOutput.parse(binding);
      const where = `The queue output of function "${metadata.name}"`;
      const resolved = this.options.resolve(queueName, where);
      const queue = this.#open(this.options.connection(connection, where), resolved);
      for (const message of toMessages(data)) {
        await sendMessage(queue, encodeMessage(message, this.options.encoding));
      }
      this.options.sent(resolved);
    }
  }

  #open(connection: string, queueName: string): QueueClient {
    const key = `${connection}\n${queueName}`;
    const known = this.#queues.get(key);
    if (known) return known;
    const queue = openQueue(connection, queueName);
    this.#queues.set(key, queue);
    return queue;
  }
}

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
export function toMessages(data: OutputData): (string | Uint8Array)[] {
  if (data.bytes) return [data.bytes];
  if (data.string !== undefined) return [data.string];
  if (data.int !== undefined) return [String(data.int)];
  if (data.double !== undefined) return [String(data.double)];
  if (data.json === undefined) return [];
  const value: unknown = JSON.parse(data.json);
  if (!Array.isArray(value)) return [data.json];
  return value.map(item => (typeof item === 'string' ? item : JSON.stringify(item)));
}
