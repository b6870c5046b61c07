import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json } from '../shared/api/problem.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { poolsAnswer } from './composition/operations.js';
import { dependenciesOf, logOf } from './composition.js';

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
