import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  deadLetterPageSchema,
  deadLetterResultsSchema,
  shownDeadLetterSchema,
} from '../../answers/dead-letters.js';
import { deadLetterListQuerySchema } from '../../input/query.js';
import { purgeBodySchema, redriveBodySchema } from '../../input/settle-body.js';
import { originalMessage, shown } from '../examples.js';
import { answer, body, unauthorized, withKey, withKeyInHeader } from '../operation.js';
import { problemsWith } from '../problems.js';
import { requestIdPath } from './agents.js';

const tags = ['Dead letters'];
const refusals = {
  ...unauthorized,
  ...problemsWith('InvalidRequest', 'BodyTooLarge', 'StorageUnavailable'),
};

export const deadLetterPaths: ZodOpenApiPathsObject = {
  '/deadletters': {
    get: {
      tags,
      operationId: 'listDeadLetters',
      summary: 'List dead letters',
      description:
        'Requests that were given up and neither redriven nor purged since, the newest first. The function key goes in the ' +
        'header: `code` is a filter here.',
      security: withKeyInHeader,
      requestParams: { query: deadLetterListQuerySchema },
      responses: {
        200: answer('One page.', deadLetterPageSchema, {
          page: {
            summary: 'The last page',
            value: { deadLetters: [shown.deadLettered], continuation: null },
          },
        }),
        ...unauthorized,
        ...problemsWith('InvalidRequest', 'StorageUnavailable'),
      },
    },
  },
  '/deadletters/{requestId}': {
    get: {
      tags,
      operationId: 'getDeadLetter',
      summary: 'Show a dead letter',
      description: 'The request, and the message that it came as.',
      security: withKey,
      requestParams: { path: requestIdPath },
      responses: {
        200: answer('The dead letter.', shownDeadLetterSchema, {
          text: {
            summary: 'Its message is text',
            value: { ...shown.deadLettered, message: originalMessage },
          },
          bytes: {
            summary: 'Its message is no text',
            value: { ...shown.deadLettered, messageBase64: '/wBB' },
          },
        }),
        ...unauthorized,
        ...problemsWith('DeadLetterNotFound', 'StorageUnavailable'),
      },
    },
  },
  '/deadletters/redrive': {
    post: {
      tags,
      operationId: 'redriveDeadLetters',
      summary: 'Begin dead letters again',
      description:
        'Reads the original messages again under the settings of today and begins the requests again under their ids. ' +
        'Repeat it as you like: what lives is left alone.',
      security: withKey,
      requestBody: body(
        redriveBodySchema,
        {
          dryRun: {
            summary: 'What would become of one',
            value: { requestIds: ['nightly-42'], dryRun: true },
          },
        },
        { required: true, description: 'Which ones, by the ids of their requests.' },
      ),
      responses: {
        200: answer('A result for each id, whatever it is.', deadLetterResultsSchema, {
          dryRun: {
            summary: 'In a dry run',
            value: {
              results: [
                {
                  requestId: 'nightly-42',
                  outcome: 'redrivable',
                  detail: 'It would be redriven; it had failed with PoolMissing.',
                },
              ],
            },
          },
        }),
        ...refusals,
      },
    },
  },
  '/deadletters/purge': {
    post: {
      tags,
      operationId: 'purgeDeadLetters',
      summary: 'Be done with dead letters',
      description: 'Takes them out of the list and the queue. The requests stay to be read.',
      security: withKey,
      requestBody: body(
        purgeBodySchema,
        { one: { summary: 'One of them', value: { requestIds: ['nightly-42'] } } },
        { required: true, description: 'Which ones, by the ids of their requests.' },
      ),
      responses: {
        200: answer('A result for each id, whatever it is.', deadLetterResultsSchema, {
          purged: {
            summary: 'It is purged',
            value: {
              results: [
                {
                  requestId: 'nightly-42',
                  outcome: 'purged',
                  detail: 'It was purged at 2026-01-31T11:00:00.000Z.',
                },
              ],
            },
          },
        }),
        ...refusals,
      },
    },
  },
};
