import { app, type InvocationContext, type Timer } from '@azure/functions';
import * as df from 'durable-functions';
import { drainPoison } from '../shared/dispatch/drain-poison.js';
import { reconcile } from '../shared/dispatch/reconcile.js';
import { newReconcileMemory } from '../shared/dispatch/reconcile-memory.js';
import { dependenciesOf } from './composition/dependencies.js';

const memory = newReconcileMemory();

app.timer('reconcile', {
  schedule: '*/20 * * * * *',
  // A pool's placeholder must be there before the first pipeline that does not wait asks for an agent.
  runOnStartup: true,
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => reconcile(dependenciesOf(context), memory)(),
});

app.timer('drainPoison', {
  schedule: '*/20 * * * * *',
  extraInputs: [df.input.durableClient()],
  handler: async (_timer: Timer, context: InvocationContext) => drainPoison(dependenciesOf(context))(),
});
