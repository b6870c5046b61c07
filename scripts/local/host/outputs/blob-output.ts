import { ContainerClient } from '@azure/storage-blob';
import * as z from 'zod';
import { resolveConnection, resolvePercentNames } from '../settings.js';
import { storageStatus } from '../storage.js';
import { resolveExpressions } from './binding-data.js';
import { type Output, type OutputContext, toBytes } from './output.js';

const Binding = z.looseObject({
  path: z.string().regex(/^[^/]+\/.+$/, 'must be "container/blob"'),
  connection: z.string().optional(),
});

/** Writes a value as a block blob, making its container if there is none. */
export function blobOutput(binding: unknown, { where, settings }: OutputContext): Output {
  const { path, connection } = Binding.parse(binding);
  const template = resolvePercentNames(path, settings, where);
  const storage = resolveConnection(connection, settings, where);
  return {
    async write(data, bindingData) {
      const [containerName = '', ...rest] = resolveExpressions(template, bindingData, where).split('/');
      const container = new ContainerClient(storage, containerName);
      const bytes = toBytes(data);
      const upload = () => container.uploadBlockBlob(rest.join('/'), bytes, bytes.length);
      try {
        await upload();
      } catch (error) {
        if (storageStatus(error) !== 404) throw error;
        await container.createIfNotExists();
        await upload();
      }
    },
  };
}
