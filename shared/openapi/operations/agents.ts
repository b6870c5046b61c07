import * as z from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import { requestPageSchema, shownRequestSchema } from '../../answers/request.js';
import { requestIdPattern } from '../../domain/names.js';
import { pipelineHeaderSchemas } from '../../input/pipeline-headers.js';
import { requestListQuerySchema, requestQuerySchema } from '../../input/query.js';
import { requestBodySchema } from '../../input/request-body.js';
import { requestBodies, shown } from '../examples.js';
import { headers } from '../headers.js';
import { answer, body, unauthorized, withKey } from '../operation.js';
import { problemsWith } from '../problems.js';

const tags = ['Agents'];

export const requestIdPath = z.object({
  requestId: z
    .string()
    .regex(requestIdPattern)
    .meta({ description: 'The id of the request.', examples: ['nightly-42'] }),
});

const guid = 'e1a0c2d4-1111-4a4a-8b8b-000000000001';
const { ProjectId, HubName, PlanId, JobId, TimelineId, TaskInstanceId, AuthToken } = pipelineHeaderSchemas;

/** A pipeline's context, as the task sends it. */
const pipelineHeaders = z.object({
  PlanUrl: z
    .string()
    .optional()
    .meta({
      description: 'URL of the collection. Its host must be one of the setting `AllowedPlanHosts`.',
      examples: ['https://dev.azure.com/contoso/'],
      format: 'uri',
    }),
  ProjectId: ProjectId.optional().meta({ description: 'The project of the pipeline.', examples: [guid] }),
  HubName: HubName.optional().meta({ description: 'The hub of the plan.', examples: ['build'] }),
  PlanId: PlanId.optional().meta({ description: 'The plan: one run of the pipeline.', examples: [guid] }),
  JobId: JobId.optional().meta({ description: 'The job of the server task.', examples: [guid] }),
  TimelineId: TimelineId.optional().meta({ description: 'The timeline of the run.', examples: [guid] }),
  TaskInstanceId: TaskInstanceId.optional().meta({ description: 'The server task.', examples: [guid] }),
  AuthToken: AuthToken.optional().meta({
    description: 'The token of the job. It is sealed at rest, and erased at the end of the request.',
  }),
});

const ask = {
  tags,
  security: withKey,
  requestParams: { header: pipelineHeaders },
  responses: {
    200: answer(
      'A repeat of a request that has ended: as it ended. Nothing was started.',
      shownRequestSchema,
      { ended: { summary: 'It had its agent', value: shown.completed } },
      { Location: headers.location, 'Idempotent-Replay': { ...headers.idempotentReplay, required: true } },
    ),
    202: answer(
      'The request is kept; or it was alive already, and this call has joined it.',
      shownRequestSchema,
      {
        kept: { summary: 'A new request', value: shown.accepted },
        joined: { summary: 'A repeat of one that is online', value: shown.online },
      },
      {
        Location: headers.location,
        'Retry-After': headers.retryAfter,
        'Idempotent-Replay': headers.idempotentReplay,
      },
    ),
    ...unauthorized,
    ...problemsWith('InvalidRequest', 'BodyTooLarge', 'TooManyWaiting', 'StorageUnavailable'),
  },
} satisfies ZodOpenApiOperationObject;

const whatItTakes =
  'JSON in UTF-8 of at most 64 KiB; an empty body stands for `{}`. Unknown fields are refused.';

export const agentPaths: ZodOpenApiPathsObject = {
  '/agents': {
    post: {
      ...ask,
      operationId: 'requestAgent',
      summary: 'Ask for an agent',
      description:
        'Keeps and queues a request for one agent, and answers at once, whatever state Azure Batch and Azure DevOps are ' +
        'in. The headers of a pipeline come all together, as `AzureFunction@1` sends them, or not at all. A repeat under ' +
        'the same `requestId` starts nothing, unless a pipeline that waits and has taken our word asks anew.',
      requestBody: body(
        requestBodySchema,
        {
          plain: { summary: 'From any system', value: requestBodies.plain },
          pipeline: {
            summary: 'From a pipeline, for a job that demands a capability',
            value: requestBodies.pipeline,
          },
        },
        { required: false, description: whatItTakes },
      ),
    },
    get: {
      tags,
      operationId: 'listAgents',
      summary: 'List requests',
      description: 'The newest first, page by page.',
      security: withKey,
      requestParams: { query: requestListQuerySchema },
      responses: {
        200: answer('One page.', requestPageSchema, {
          page: {
            summary: 'A page, and there are more',
            value: { requests: [shown.online], continuation: 'MjUxOTYwMzk5OTk5OSFuaWdodGx5LTQy' },
          },
        }),
        ...unauthorized,
        ...problemsWith('InvalidRequest', 'StorageUnavailable'),
      },
    },
  },
  '/agents/{requestId}': {
    get: {
      tags,
      operationId: 'getAgent',
      summary: 'Show a request',
      description: 'With `wait` it is answered as soon as the state changes, or when the time is up.',
      security: withKey,
      requestParams: { path: requestIdPath, query: requestQuerySchema },
      responses: {
        200: answer('The request.', shownRequestSchema, {
          online: { summary: 'Its agent is online', value: shown.online },
          deadLettered: { summary: 'It was given up', value: shown.deadLettered },
        }),
        ...unauthorized,
        ...problemsWith('InvalidRequest', 'RequestNotFound', 'StorageUnavailable'),
      },
    },
    delete: {
      tags,
      operationId: 'cancelAgent',
      summary: 'Cancel a request',
      description:
        'Asks for the end of a request that lives; its agent is taken back soon after. Repeat it as you like.',
      security: withKey,
      requestParams: { path: requestIdPath },
      responses: {
        202: answer(
          'It will be cancelled: ask for its state.',
          shownRequestSchema,
          { cancelling: { summary: 'Asked for', value: shown.cancelling } },
          { 'Retry-After': headers.retryAfter },
        ),
        ...unauthorized,
        ...problemsWith('RequestNotFound', 'RequestEnded', 'StorageUnavailable'),
      },
    },
  },
  '/ProvideAzDOAgent': {
    post: {
      ...ask,
      operationId: 'requestAgentAsArticle',
      summary: 'Ask for an agent, by the route of the article',
      description:
        'The same intake as `POST /agents`, for pipelines that followed the article; they do not wait, so `callback` is ' +
        '`false` unless it is said.',
      requestBody: body(
        requestBodySchema,
        { article: { summary: 'The body of the article', value: requestBodies.article } },
        { required: false, description: whatItTakes },
      ),
    },
  },
};
