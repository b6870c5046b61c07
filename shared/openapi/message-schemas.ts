import * as z from 'zod';
import { deadLetterMessageSchema } from '../answers/dead-letters.js';
import { shownRequestSchema } from '../answers/request.js';
import { queueMessageSchema } from '../input/request-body.js';
import './named-schemas.js';
import { deadLetterMessages, queueMessages, shown } from './examples.js';
import { tellAsJsonSchema } from './tell-as-json-schema.js';
import { messageVersion } from './version.js';

function schemaOf(
  schema: z.ZodType,
  io: 'input' | 'output',
  about: { readonly name: string; readonly title: string; readonly description: string },
  examples: readonly unknown[],
): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    override: ({ jsonSchema }) => {
      tellAsJsonSchema({ jsonSchema, io });
      // The name of a definition, in a form that JSON Schema has given up.
      delete jsonSchema.id;
    },
  });
  const { name, title, description } = about;
  return {
    $schema,
    $id: `urn:azdo-batch-agents:${name}:${messageVersion}`,
    title,
    description,
    ...rest,
    examples,
  };
}

/** JSON Schemas of the messages that other systems send and get, by the name of their file. */
export const messageSchemas = (): Readonly<Record<string, object>> => ({
  'agent-request-message.schema.json': schemaOf(
    queueMessageSchema,
    'input',
    {
      name: 'agent-request-message',
      title: 'A message to the queue agent-requests',
      description:
        'Asks for one agent. Sent as JSON text in UTF-8, or as base64 of it, at most 64 KiB. What can not be understood is ' +
        'dead-lettered byte for byte with the reason. `callback` can not be true: a message has no pipeline that waits.',
    },
    queueMessages,
  ),
  'agent-reply.schema.json': schemaOf(
    shownRequestSchema,
    'output',
    {
      name: 'agent-reply',
      title: 'A message in the queue that replyQueue names',
      description:
        'The request as GET /api/agents/{requestId} shows it: once its agent is online, and at every end. It may come more ' +
        'than once. New fields may come, so skip those that you do not know.',
    },
    [shown.online, shown.deadLettered],
  ),
  'dead-letter.schema.json': schemaOf(
    deadLetterMessageSchema,
    'output',
    {
      name: 'dead-letter',
      title: 'A message in the queue agent-requests-deadletter',
      description:
        'Tells of a request that was given up, with the message that it came as. The table is the truth, this queue an ' +
        'outlet: take letters from it as you like. New fields may come, so skip those that you do not know.',
    },
    deadLetterMessages,
  ),
});
