import type { Preset, Presets } from '../faults/rule.js';
import { BatchError, type BatchErrorCode, errorBody } from './errors.js';

const headers = { 'content-type': 'application/json; odata=minimalmetadata' };

/** An error as the service sends it, with the id and the time of this one. */
function error(
  about: string,
  code: BatchErrorCode,
  call = '*',
  more: Readonly<Record<string, string>> = {},
): Preset {
  const problem = new BatchError(code);
  return {
    about,
    rule: { call, status: problem.status, headers: { ...headers, ...more } },
    body: () => ({
      'odata.metadata':
        'https://localbatch/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element',
      ...errorBody(problem),
    }),
  };
}

const jobNotFound = error(
  '404 for the first two tasks of every job: it was created a moment ago.',
  'JobNotFound',
);

export const batchPresets: Presets = {
  throttled: error('429 with Retry-After.', 'TooManyRequests', '*', { 'retry-after': '2' }),
  serverBusy: error('503 without Retry-After.', 'ServerBusy'),
  internalError: error('500.', 'InternalError'),
  operationTimedOut: error('500: the service did not manage in time.', 'OperationTimedOut'),
  jobNotFoundAtFirst: {
    ...jobNotFound,
    rule: { ...jobNotFound.rule, call: 'POST /jobs/:jobId/tasks', each: 'jobId', count: 2 },
  },
  jobDisabled: error('409: an operator disabled the job.', 'JobDisabled', 'POST /jobs/:jobId/tasks'),
  jobCompleted: error('409: the job is over.', 'JobCompleted', 'POST /jobs/:jobId/tasks'),
  quotaReached: error('409: too many active jobs.', 'ActiveJobAndScheduleQuotaReached', 'POST /jobs'),
  poolNotFound: error('404: the pool is gone.', 'PoolNotFound', '*/pools/:poolId*'),
  poolBeingResized: error('409.', 'PoolBeingResized'),
  authenticationFailed: error('403: a wrong key.', 'AuthenticationFailed'),
  accountDisabled: error('403.', 'AccountIsDisabled'),
};
