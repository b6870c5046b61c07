import type { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { OutputData } from '../core-types.js';
import { resolveConnection, resolvePercentNames } from '../settings.js';
import { openQueue, storageStatus } from '../storage.js';
import { resolveExpressions } from './binding-data.js';
import type { Output, OutputContext } from './output.js';

const Binding = z.looseObject({ queueName: z.string().min(1), connection: z.string().optional() });

/** Sends values as messages of a storage queue; an array is one message per element, as in Azure. */
export function queueOutput(binding: unknown, context: OutputContext): Output {
  const { where, settings, messageEncoding, sentTo } = context;
  const { queueName, connection } = Binding.parse(binding);
  const template = resolvePercentNames(queueName, settings, where);
  const storage = resolveConnection(connection, settings, where);
  const queues = new Map<string, QueueClient>();
  return {
    async write(data, bindingData) {
      const name = resolveExpressions(template, bindingData, where);
      const queue = queues.get(name) ?? openQueue(storage, name);
      queues.set(name, queue);
      for (const message of toMessages(data)) {
        const bytes = Buffer.from(message);
        await send(queue, messageEncoding === 'base64' ? bytes.toString('base64') : bytes.toString('utf8'));
      }
      sentTo(name);
    },
  };
}

async function send(queue: QueueClient, text: string): Promise<void> {
  try {
    await queue.sendMessage(text);
  } catch (error) {
    if (storageStatus(error) !== 404) throw error;
    await queue.createIfNotExists();
    await queue.sendMessage(text);
  }
}

function toMessages(data: OutputData): (string | Uint8Array)[] {
  if (data.bytes) return [data.bytes];
  if (data.json === undefined) return [data.string ?? String(data.int ?? data.double ?? '')];
  const value: unknown = JSON.parse(data.json);
  if (!Array.isArray(value)) return [data.json];
  return value.map(item => (typeof item === 'string' ? item : JSON.stringify(item)));
}
