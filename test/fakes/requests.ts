import type { AgentRequest } from '../../shared/domain/request.js';

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
    cancelRequestedAt: undefined,
    ...changes,
  };
}
