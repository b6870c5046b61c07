import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { drainPoison } from '../shared/dispatch/drain-poison.js';
import { reconcile } from '../shared/dispatch/reconcile.js';
import { dependenciesOf } from './composition.js';

app.timer('reconcile', {
  schedule: '*/20 * * * * *',
  // A pool's placeholder must be there before the first pipeline that does not wait asks for an agent.
  runOnStartup: true,
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => reconcile(dependenciesOf(context))(),
});

app.timer('drainPoison', {
  schedule: '*/30 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => drainPoison(dependenciesOf(context))(),
});
