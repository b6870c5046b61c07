import * as z from 'zod';
import type { OutputData } from '../core-types.js';
import { storageStatus } from '../storage.js';
import { fillIn } from './binding-data.js';
import type { OutputBinding } from './output.js';

const BlobOutput = z.looseObject({ path: z.string().min(1), connection: z.string().optional() });

export interface BlobOutputOptions {
  resolve(text: string, where: string): string;
  connection(name: string | undefined, where: string): string;
}

/** Storage blob outputs: the value is the whole blob; the path's first segment is its container. */
export function blobOutput(options: BlobOutputOptions): OutputBinding {
  return {
    type: 'blob',
    async send({ binding, data, bindingData, where }) {
      const { path, connection } = BlobOutput.parse(binding);
      const filled = fillIn(options.resolve(path, where), bindingData, where);
      const slash = filled.indexOf('/');
      if (slash < 1 || slash === filled.length - 1) {
        throw new Error(`${where} has the path "${filled}", which is not container/blob.`);
      }
      // Few apps have such an output, and every start of the host would load it.
      const { BlobServiceClient } = await import('@azure/storage-blob');
      const container = BlobServiceClient.fromConnectionString(options.connection(connection, where), {
        retryOptions: { maxTries: 1 },
      }).getContainerClient(filled.slice(0, slash));
      const blob = container.getBlockBlobClient(filled.slice(slash + 1));
      const bytes = Buffer.from(contentOf(data));
      try {
        await blob.upload(bytes, bytes.length);
      } catch (error) {
        if (storageStatus(error) !== 404) throw error;
        await container.createIfNotExists();
        await blob.upload(bytes, bytes.length);
      }
    },
  };
}

const contentOf = (data: OutputData): Uint8Array =>
  data.bytes ?? Buffer.from(data.string ?? data.json ?? String(data.int ?? data.double ?? ''));
