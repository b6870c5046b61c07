import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { showEvents } from '../shared/api/events.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { operations } from './composition/operations.js';
import { logOf } from './composition/telemetry.js';

app.http('getEvents', {
  route: 'events',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), showEvents(operations))(request),
});
