import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { showOverview } from '../shared/api/overview.js';
import { json } from '../shared/api/problem.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { answerPage } from '../shared/dashboard/data-routes.js';
import { showPage } from '../shared/dashboard/show-page.js';
import { forSignedIn } from '../shared/dashboard/signed-in.js';
import { dependenciesOf } from './composition/dependencies.js';
import { builtPage } from './composition/documents.js';
import { operations, poolsAnswer } from './composition/operations.js';
import { dashboardAccess } from './composition/settings.js';
import { logOf } from './composition/telemetry.js';

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
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const dependencies = dependenciesOf(context);
    const answer = answerPage(dependencies, {
      'GET pools': async () => json(200, await poolsAnswer(dependencies.orchestrations)),
      'GET overview': showOverview(operations),
    });
    return whenStorageIsAway(logOf(context), forSignedIn(dashboardAccess, answer))(request);
  },
});
