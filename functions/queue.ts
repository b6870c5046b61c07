import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { dispatchMessage } from '../shared/dispatch/dispatch-message.js';
import { measureAge } from '../shared/telemetry/queue-age.js';
import { dependenciesOf } from './composition/dependencies.js';
import { telemetry } from './composition/telemetry.js';

// Taken as bytes: as text the worker would parse it, and a dead letter could not be the original any more.
app.generic('agentRequests', {
  trigger: {
    type: 'queueTrigger',
    name: 'message',
    queueName: 'agent-requests',
    connection: 'AzureWebJobsStorage',
    dataType: 'binary',
  },
  extraInputs: [df.input.durableClient()],
  handler: async (message: unknown, context: InvocationContext) => {
    const { id, dequeueCount, insertionTime } = context.triggerMetadata ?? {};
    measureAge(telemetry, insertionTime);
    return dispatchMessage(dependenciesOf(context))(bytesOf(message), String(id), Number(dequeueCount ?? 1));
  },
});

/** A host that knows no binary queue messages hands over text, or what it made of it. */
function bytesOf(message: unknown): Uint8Array {
  if (message instanceof Uint8Array) return message;
  return Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
}
