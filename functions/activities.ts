import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { activities } from '../shared/activities/index.js';
import { type ActivityName, decodeInput } from '../shared/workflow/contract.js';
import { dependenciesOf } from './composition.js';

function register<Name extends ActivityName>(name: Name): void {
  df.app.activity(name, {
    extraInputs: [df.input.durableClient()],
    handler: async (input: unknown, context: InvocationContext) =>
      activities[name](dependenciesOf(context))(decodeInput[name](input)),
  });
}

register('provisionAgent');
register('lookAtAgent');
register('releasePipeline');
register('recordBusy');
register('settleEnd');
register('retireAttempt');
register('finishRequest');
register('watchPool');
