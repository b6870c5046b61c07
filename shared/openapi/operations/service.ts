import * as z from 'zod';
import type { ZodOpenApiPathsObject, ZodOpenApiResponseObject } from 'zod-openapi';
import { healthSchema } from '../../answers/health.js';
import { helpEntrySchema, helpSchema } from '../../answers/help.js';
import { guideTo } from '../../domain/failure-guide.js';
import { headers } from '../headers.js';
import { anonymous, answer } from '../operation.js';

const tags = ['Service'];
const asPage = 'A page for people, unless JSON and no HTML is accepted.';
const poolMissing = guideTo('PoolMissing');

/** The same for people. */
const withPage = (response: ZodOpenApiResponseObject): ZodOpenApiResponseObject => ({
  ...response,
  content: {
    ...response.content,
    'text/html': {
      schema: { type: 'string' },
      examples: { page: { summary: 'A page', value: '<!doctype html>…' } },
    },
  },
});

export const servicePaths: ZodOpenApiPathsObject = {
  '/health': {
    get: {
      tags,
      operationId: 'getHealth',
      summary: 'Tell whether the app is well',
      description:
        'Liveness and, per dependency, whether it can be reached; looked up at most every ten seconds.',
      security: anonymous,
      responses: {
        200: answer('The app answers; `status` says whether it can work.', healthSchema, {
          degraded: {
            summary: 'Azure Batch is away',
            value: {
              status: 'degraded',
              dependencies: {
                storage: { reachable: true },
                batch: { reachable: false },
                azureDevOps: { reachable: true },
              },
            },
          },
        }),
      },
    },
  },
  '/help': {
    get: {
      tags,
      operationId: 'listHelp',
      summary: 'Explain all failure codes',
      description: `What each \`failure.code\` means, and how to mend it. ${asPage}`,
      security: anonymous,
      responses: {
        200: withPage(
          answer('All of them.', helpSchema, {
            one: { summary: 'One of them', value: { failures: [poolMissing] } },
          }),
        ),
      },
    },
  },
  '/help/{code}': {
    get: {
      tags,
      operationId: 'getHelp',
      summary: 'Explain a failure code',
      description: `Where \`links.help\` of a request that failed leads. ${asPage}`,
      security: anonymous,
      requestParams: {
        path: z.object({
          code: z.string().meta({ description: 'A `failure.code`.', examples: ['PoolMissing'] }),
        }),
      },
      responses: {
        200: withPage(
          answer('The entry of the code.', helpEntrySchema, {
            poolMissing: { summary: 'A Batch pool is missing', value: poolMissing },
          }),
        ),
        404: withPage(
          answer('A code that is not known: the general entry.', helpEntrySchema, {
            unknown: { summary: 'What holds for every failure', value: guideTo('SomethingElse') },
          }),
        ),
      },
    },
  },
  '/openapi.json': {
    get: {
      tags,
      operationId: 'getOpenApi',
      summary: 'Show this document',
      description: 'The same bytes each time, until another version of the app runs.',
      security: anonymous,
      responses: {
        200: {
          description: 'An OpenAPI 3.1 document.',
          headers: { ETag: headers.etag },
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  openapi: { type: 'string' },
                  info: { type: 'object', additionalProperties: true },
                  paths: { type: 'object', additionalProperties: true },
                },
                required: ['openapi', 'info', 'paths'],
                additionalProperties: true,
              },
            },
          },
        },
        304: {
          description: 'It is what `If-None-Match` names.',
          headers: { ETag: headers.etag },
        },
      },
    },
  },
};
