import type { AgentRequest, PipelineContext } from '../../shared/domain/request.js';

/** A request as it is just after it was asked for; pass what the test is about. */
export function someRequest(changes: Partial<AgentRequest> = {}): AgentRequest {
  const createdAt = changes.createdAt ?? '2026-01-31T10:00:00.000Z';
  return {
    requestId: 'r-1',
    generation: 1,
    profile: 'ubuntu',
    state: 'accepted',
    attempt: 0,
    firstAttempt: 1,
    devOpsPool: 'Private Linux',
    image: 'azdo-agent:ubuntu-24.04-azdo',
    agentName: undefined,
    batch: undefined,
    createdAt,
    updatedAt: createdAt,
    onlineAt: undefined,
    taskStartedAt: undefined,
    endedAt: undefined,
    timeoutMinutes: 30,
    capabilities: {},
    tags: {},
    failure: undefined,
    history: [{ state: 'accepted', at: createdAt, attempt: 0, detail: 'Asked for.' }],
    pipeline: undefined,
    callback: undefined,
    replyQueue: undefined,
    startClaimedAt: undefined,
    deferredAt: undefined,
    cancelRequestedAt: undefined,
    purgedAt: undefined,
    traceparent: undefined,
    ...changes,
  };
}

/** A server task that waits. */
export const somePipeline: PipelineContext = {
  planUrl: 'https://dev.azure.com/contoso/',
  projectId: 'e1a0c2d4-1111-4a4a-8b8b-000000000001',
  hubName: 'build',
  planId: 'e1a0c2d4-2222-4a4a-8b8b-000000000002',
  jobId: 'e1a0c2d4-3333-4a4a-8b8b-000000000003',
  timelineId: 'e1a0c2d4-4444-4a4a-8b8b-000000000004',
  taskInstanceId: 'e1a0c2d4-5555-4a4a-8b8b-000000000005',
};
