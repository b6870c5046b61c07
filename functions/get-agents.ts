import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { listRequests, showRequest } from '../shared/api/show-request.js';
import { intakeOf } from './composition.js';

app.http('listAgents', {
  route: 'agents',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    listRequests(intakeOf(context))(request),
});

app.http('getAgent', {
  route: 'agents/{requestId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    showRequest(intakeOf(context))(request),
});
