import * as z from 'zod';
import type { BusMessage, FunctionRequest } from '../rows.js';
import { Fields } from './fields.js';
import type { MapNode, Place } from './node.js';
import type { Problems } from './problems.js';

const longestBody = 2000;
const longestMessage = 5000;
const longestHeaders = 5000;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/** The inputs of a server task that the player knows. @returns undefined when it is another, which is refused by name. */
export function readServerTask(
  task: string,
  inputs: MapNode | undefined,
  at: Place,
  problems: Problems,
): FunctionRequest | BusMessage | undefined {
  const fields = new Fields(inputs ?? { kind: 'map', entries: [], at }, `the inputs of ${task}`, problems);
  switch (task) {
    case 'AzureFunction@1':
      return azureFunction(fields, problems);
    case 'PublishToAzureServiceBus@1':
      return serviceBus(fields, '1', problems);
    case 'PublishToAzureServiceBus@2':
      return serviceBus(fields, '2', problems);
    default:
      problems.add(at, `the task ${task} is not played in a server job`);
      return undefined;
  }
}

function azureFunction(fields: Fields, problems: Problems): FunctionRequest {
  const address = fields.needed('function');
  if (address.includes('?')) {
    problems.add(
      fields.node('function')?.at ?? fields.at,
      'function must have no query: the task adds its own',
    );
  }
  const method = fields.text('method') ?? 'POST';
  if (!methods.includes(method)) {
    problems.add(fields.node('method')?.at ?? fields.at, `method must be one of: ${methods.join(', ')}`);
  }
  const request: FunctionRequest = {
    kind: 'function',
    function: address,
    key: fields.needed('key'),
    method,
    queryParameters: fields.text('queryParameters') ?? '',
    body: limited(fields, 'body', longestBody, problems),
    waitForCompletion: fields.boolean('waitForCompletion') ?? false,
  };
  const headers = limited(fields, 'headers', longestHeaders, problems);
  fields.end({ successCriteria: 'any 2xx is good' });
  if (headers === '') return request;
  const parsed = readHeaders(headers);
  if (!parsed)
    problems.add(fields.node('headers')?.at ?? fields.at, 'headers must be a JSON object of texts');
  return { ...request, ...(parsed && { headers: parsed }) };
}

function readHeaders(text: string): Record<string, string> | undefined {
  try {
    return z.record(z.string(), z.string()).safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function serviceBus(fields: Fields, version: BusMessage['version'], problems: Problems): BusMessage {
  fields.needed('azureSubscription');
  if (version === '2') {
    fields.needed('serviceBusNamespace');
    fields.needed('serviceBusQueueName');
  }
  const at = (key: string): Place => fields.node(key)?.at ?? fields.at;
  if (fields.boolean('waitForCompletion') ?? false) {
    problems.add(
      at('waitForCompletion'),
      'nobody completes the task of a message: waitForCompletion must be false',
    );
  }
  if (fields.boolean('useDataContractSerializer') ?? true) {
    problems.add(
      at('useDataContractSerializer'),
      'useDataContractSerializer must be false: else the message is a serialised .NET string and no JSON',
    );
  }
  const messageBody = limited(fields, 'messageBody', longestMessage, problems);
  if (messageBody.trim() === '') problems.add(at('messageBody'), 'the task needs messageBody');
  const unsigned = 'nothing on the way would look at it';
  fields.end({
    sessionId: unsigned,
    signPayload: unsigned,
    certificateString: unsigned,
    signatureKey: unsigned,
  });
  return { kind: 'serviceBus', version, messageBody };
}

function limited(fields: Fields, key: string, most: number, problems: Problems): string {
  const text = fields.text(key) ?? '';
  if (text.length > most) {
    problems.add(
      fields.node(key)?.at ?? fields.at,
      `${key} has ${text.length} characters: the task takes at most ${most}`,
    );
  }
  return text;
}
