import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { activities } from '../shared/activities/index.js';
import { type ActivityName, decodeInput } from '../shared/workflow/contract.js';
import { dependenciesOf } from './composition.js';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties an activity to the decoding of its input
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
