import http from 'node:http';
import https from 'node:https';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';

/** Enough for a process of two cores; a thousand calls at once would otherwise open a thousand connections. */
const options = { keepAlive: true, maxSockets: 32, maxFreeSockets: 32 } as const;

const plain = new http.Agent(options);
const secure = new https.Agent(options);

/**
 * The connections to the storage account, kept and shared by all clients of it: each SDK client would otherwise have
 * its own, and as many as it has calls on their way. Idle ones let the process end.
 */
export const storageConnections: { readonly policy: PipelinePolicy; readonly position: 'perCall' } = {
  policy: {
    name: 'storageConnections',
    sendRequest: async (request, next) => {
      // One that is there already is a proxy's.
      request.agent ??= request.url.startsWith('https:') ? secure : plain;
      return next(request);
    },
  },
  position: 'perCall',
};
