import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { healthSchema } from '../../answers/health.js';
import { headers } from '../headers.js';
import { anonymous, answer } from '../operation.js';

const tags = ['Service'];

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
