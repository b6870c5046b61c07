import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { answerPage } from '../shared/dashboard/data-routes.js';
import { showPage } from '../shared/dashboard/show-page.js';
import { forSignedIn } from '../shared/dashboard/signed-in.js';
import { builtPage, dashboardAccess, intakeOf, logOf } from './composition.js';

app.http('dashboard', {
  route: 'dashboard',
  methods: ['GET'],
  authLevel: dashboardAccess.authLevel,
  handler: async (request: HttpRequest) =>
    forSignedIn(dashboardAccess, async () => showPage(await builtPage()))(request),
});
app.http('dashboardData', {
  route: 'dashboard/data/{*path}',
  methods: ['GET', 'POST'],
  authLevel: dashboardAccess.authLevel,
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), forSignedIn(dashboardAccess, answerPage(intakeOf(context))))(request),
});
