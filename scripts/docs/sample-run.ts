import type { Failure } from '../../shared/domain/failure.js';
import { remedyFor } from '../../shared/domain/failure-guide.js';
import { pipelineLog } from '../../shared/domain/pipeline-log.js';
import { acceptedRequest } from '../../shared/domain/request.js';

const asked = '2026-01-31T10:00:00.000Z';
const after = (seconds: number): number => Date.parse(asked) + seconds * 1_000;

const request = {
  ...acceptedRequest('nightly-42', asked, ''),
  profile: 'ubuntu',
  state: 'starting',
  attempt: 1,
  agentName: 'nightly-42-1',
  devOpsPool: 'Private Ubuntu',
  batch: { poolId: 'linux', jobId: 'ubuntu-20260131', taskId: 'nightly-42-1' },
  onlineAt: new Date(after(48)).toISOString(),
} as const;
const imageMissing: Failure = {
  code: 'ImagePullFailed',
  stage: 'container',
  message: `The agent's image could not be pulled: registry.example/azdo-agent:x was not found. ${remedyFor('ImagePullFailed')}`,
  retryable: true,
};

/** The lines of a request whose agent takes its time, as the app itself makes them. */
export const sampleRun: readonly string[] = [
  pipelineLog.provisioning(request, 3),
  pipelineLog.starting(request),
  pipelineLog.waiting(request, { task: 'active', ahead: 2, problem: undefined }, after(12)),
  pipelineLog.started(request, 'preparing', after(25)),
  pipelineLog.started(request, 'running', after(40)),
  pipelineLog.online(request),
];

/** The last line of one that gets none. */
export const sampleEnd = pipelineLog.noAgent(
  request,
  { state: 'deadLettered', detail: '', failure: imageMissing },
  'https://app.example/api',
);
