import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { askForAgent } from '../shared/api/ask-for-agent.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { intakeOf } from './composition/dependencies.js';
import { logOf } from './composition/telemetry.js';

app.http('postAgents', {
  route: 'agents',
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), askForAgent(intakeOf(context), { articleRoute: false }))(request),
});

// The article's own name and route: pipelines that followed it need no change.
app.http('ProvideAzDOAgent', {
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), askForAgent(intakeOf(context), { articleRoute: true }))(request),
});
