import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json } from '../shared/api/problem.js';
import { dependenciesOf } from './composition/dependencies.js';
import { diagnosis } from './composition/operations.js';

app.http('postDiagnosis', {
  route: 'diagnosis',
  methods: ['POST'],
  authLevel: 'function',
  extraInputs: [df.input.durableClient()],
  handler: async (_request: HttpRequest, context: InvocationContext) => {
    const diagnose = await diagnosis();
    return json(200, await diagnose(dependenciesOf(context).orchestrations));
  },
});
