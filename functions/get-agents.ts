import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { listRequests, showRequest } from '../shared/api/show-request.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { intakeOf } from './composition/dependencies.js';
import { logOf } from './composition/telemetry.js';

app.http('listAgents', {
  route: 'agents',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), listRequests(intakeOf(context)))(request),
});

app.http('getAgent', {
  route: 'agents/{requestId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), showRequest(intakeOf(context)))(request),
});
