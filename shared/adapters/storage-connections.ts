import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { keptConnections } from './kept-connections.js';

/** Has the clients of the storage account use {@link keptConnections}. */
export const storageConnections: { readonly policy: PipelinePolicy; readonly position: 'perCall' } = {
  policy: {
    name: 'storageConnections',
    sendRequest: async (request, next) => {
      // One that is there already is a proxy's.
      request.agent ??= request.url.startsWith('https:') ? keptConnections.https : keptConnections.http;
      return next(request);
    },
  },
  position: 'perCall',
};
