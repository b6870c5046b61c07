import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { askForAgent } from '../shared/api/ask-for-agent.js';
import { cancelRequest } from '../shared/api/cancel-request.js';
import { methodNotAllowed } from '../shared/api/method-not-allowed.js';
import { listRequests, showRequest } from '../shared/api/show-request.js';
import { dependenciesOf, intakeOf } from './composition.js';

const authLevel = 'function';
const one = 'agents/{requestId}';

app.http('postAgents', {
  route: 'agents',
  methods: ['POST'],
  authLevel,
  handler: async (request: HttpRequest, context: InvocationContext) =>
    askForAgent(intakeOf(context), { articleRoute: false })(request),
});

app.http('ProvideAzDOAgent', {
  methods: ['POST'],
  authLevel,
  handler: async (request: HttpRequest, context: InvocationContext) =>
    askForAgent(intakeOf(context), { articleRoute: true })(request),
});

app.http('listAgents', {
  route: 'agents',
  methods: ['GET'],
  authLevel,
  handler: async (request: HttpRequest, context: InvocationContext) =>
    listRequests(intakeOf(context))(request),
});

app.http('getAgent', {
  route: one,
  methods: ['GET'],
  authLevel,
  handler: async (request: HttpRequest, context: InvocationContext) =>
    showRequest(intakeOf(context))(request),
});

app.http('deleteAgent', {
  route: one,
  methods: ['DELETE'],
  authLevel,
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) =>
    cancelRequest(dependenciesOf(context))(request),
});

// A route's other methods are told what it knows; the host by itself would say that there is no such route.
app.http('otherAgents', {
  route: 'agents',
  methods: ['PUT', 'PATCH', 'DELETE'],
  authLevel,
  handler: () => methodNotAllowed(['GET', 'POST']),
});
app.http('otherAgent', {
  route: one,
  methods: ['POST', 'PUT', 'PATCH'],
  authLevel,
  handler: () => methodNotAllowed(['GET', 'DELETE']),
});
app.http('otherProvideAzDOAgent', {
  route: 'ProvideAzDOAgent',
  methods: ['GET', 'PUT', 'PATCH', 'DELETE'],
  authLevel,
  handler: () => methodNotAllowed(['POST']),
});
