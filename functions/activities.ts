import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { activities } from '../shared/activities/index.js';
import { activityStep } from '../shared/telemetry/activity-step.js';
import { type ActivityName, decodeInput } from '../shared/workflow/contract.js';
import { dependenciesOf } from './composition/dependencies.js';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties an activity to the decoding of its input
function register<Name extends ActivityName>(name: Name): void {
  df.app.activity(name, {
    extraInputs: [df.input.durableClient()],
    handler: async (input: unknown, context: InvocationContext) => {
      const dependencies = dependenciesOf(context);
      const decoded = decodeInput[name](input);
      return activityStep(dependencies, name, decoded, async () => activities[name](dependencies)(decoded));
    },
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
