import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { showOverview } from '../shared/api/overview.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { operations } from './composition/operations.js';
import { logOf } from './composition/telemetry.js';

app.http('getOverview', {
  route: 'overview',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), showOverview(operations))(request),
});
