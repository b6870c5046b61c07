import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { diagnosisSchema } from '../../answers/diagnosis.js';
import { overviewSchema } from '../../answers/overview.js';
import {
  placeholderResultsSchema,
  placeholdersBodySchema,
  placeholdersSchema,
} from '../../answers/placeholders.js';
import { poolsSchema } from '../../answers/pools.js';
import { eventsSchema } from '../../answers/request.js';
import { eventsQuerySchema, overviewQuerySchema } from '../../input/query.js';
import { answer, body, unauthorized, withKey } from '../operation.js';
import { problemsWith } from '../problems.js';
import { diagnosis, events, overview, pools } from './operator-examples.js';

const tags = ['Operation'];
const whichPools = body(
  placeholdersBodySchema,
  { one: { summary: 'In one pool', value: { devOpsPools: ['Private Ubuntu'] } } },
  { required: false, description: 'Which agent pools; without them all that profiles name.' },
);
const settled = {
  ...unauthorized,
  ...problemsWith('InvalidRequest', 'BodyTooLarge', 'AzDOUnavailable'),
};

export const operatorPaths: ZodOpenApiPathsObject = {
  '/pools': {
    get: {
      tags,
      operationId: 'getPools',
      summary: 'Show the pools',
      description: 'For each agent pool with its Batch pool: what runs, what waits, and for what.',
      security: withKey,
      responses: {
        200: answer('The pools.', poolsSchema, {
          pools: { summary: 'Requests wait for a node', value: pools },
        }),
        ...unauthorized,
        ...problemsWith('StorageUnavailable'),
      },
    },
  },
  '/overview': {
    get: {
      tags,
      operationId: 'getOverview',
      summary: 'Show numbers',
      description: 'Over everything that lives and all that was asked for in the last hours.',
      security: withKey,
      requestParams: { query: overviewQuerySchema },
      responses: {
        200: answer('The numbers.', overviewSchema, { day: { summary: 'One day', value: overview } }),
        ...unauthorized,
        ...problemsWith('InvalidRequest', 'StorageUnavailable'),
      },
    },
  },
  '/events': {
    get: {
      tags,
      operationId: 'listEvents',
      summary: 'Follow what happens',
      description: 'What has happened to all requests since, the oldest first; ask again with `next`.',
      security: withKey,
      requestParams: { query: eventsQuerySchema },
      responses: {
        200: answer('The events.', eventsSchema, {
          online: { summary: 'An agent came online', value: events },
        }),
        ...unauthorized,
        ...problemsWith('InvalidRequest', 'StorageUnavailable'),
      },
    },
  },
  '/placeholders': {
    get: {
      tags,
      operationId: 'listPlaceholders',
      summary: 'List placeholders',
      description: 'Offline agents that let a job be queued before its agent exists.',
      security: withKey,
      responses: {
        200: answer('Those of every pool.', placeholdersSchema, {
          present: {
            summary: 'It is there',
            value: {
              placeholders: [
                {
                  devOpsPool: 'Private Ubuntu',
                  agentName: 'azdo-batch-agents-placeholder-linux',
                  present: true,
                  kept: true,
                },
              ],
            },
          },
        }),
        ...unauthorized,
        ...problemsWith('AzDOUnavailable'),
      },
    },
  },
  '/placeholders/ensure': {
    post: {
      tags,
      operationId: 'ensurePlaceholders',
      summary: 'Make placeholders',
      description: 'Makes those that are missing.',
      security: withKey,
      requestBody: whichPools,
      responses: {
        200: answer('A result for each pool, whatever it is.', placeholderResultsSchema, {
          present: {
            summary: 'It is there now',
            value: {
              results: [{ devOpsPool: 'Private Ubuntu', outcome: 'present', detail: 'It was made.' }],
            },
          },
        }),
        ...settled,
      },
    },
  },
  '/placeholders/remove': {
    post: {
      tags,
      operationId: 'removePlaceholders',
      summary: 'Remove placeholders',
      description:
        'Removes those that are there; what a profile names is made again unless `KeepPlaceholders` is `false`.',
      security: withKey,
      requestBody: whichPools,
      responses: {
        200: answer('A result for each pool, whatever it is.', placeholderResultsSchema, {
          removed: {
            summary: 'It is gone',
            value: {
              results: [{ devOpsPool: 'Private Ubuntu', outcome: 'removed', detail: 'It was removed.' }],
            },
          },
        }),
        ...settled,
      },
    },
  },
  '/diagnosis': {
    post: {
      tags,
      operationId: 'diagnose',
      summary: 'Try everything',
      description:
        'The app tries every setting, permission and connection for real, and says how to mend what fails.',
      security: withKey,
      responses: {
        200: answer('What was found.', diagnosisSchema, {
          missing: { summary: 'A Batch pool is missing', value: diagnosis },
        }),
        ...unauthorized,
      },
    },
  },
};
