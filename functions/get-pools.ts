import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json } from '../shared/api/problem.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { dependenciesOf } from './composition/dependencies.js';
import { poolsAnswer } from './composition/operations.js';
import { logOf } from './composition/telemetry.js';

app.http('getPools', {
  route: 'pools',
  methods: ['GET'],
  authLevel: 'function',
  extraInputs: [df.input.durableClient()],
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), async () =>
      json(200, await poolsAnswer(dependenciesOf(context).orchestrations)),
    )(request),
});
