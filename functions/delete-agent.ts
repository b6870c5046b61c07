import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { cancelRequest } from '../shared/api/cancel-request.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { dependenciesOf } from './composition/dependencies.js';
import { logOf } from './composition/telemetry.js';

app.http('deleteAgent', {
  route: 'agents/{requestId}',
  methods: ['DELETE'],
  authLevel: 'function',
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), cancelRequest(dependenciesOf(context)))(request),
});
