import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Failure } from '../../shared/domain/failure.js';
import { failureGuides, guideTo, remedyFor } from '../../shared/domain/failure-guide.js';
import { pipelineLog, type Waiting } from '../../shared/domain/pipeline-log.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { someRequest } from '../fakes/requests.js';

const baseUrl = 'https://agents.example.com/api';
const asked = '2026-01-31T10:00:00.000Z';
const now = Date.parse('2026-01-31T10:00:12.000Z');

const request = (changes: Partial<AgentRequest> = {}): AgentRequest =>
  someRequest({
    requestId: 'r-123',
    profile: 'ubuntu',
    createdAt: asked,
    attempt: 1,
    agentName: 'r-123-1',
    batch: { poolId: 'linux', jobId: 'j', taskId: 'r-123-1' },
    ...changes,
  });
const failure = (code: string, message: string): Failure => ({
  code,
  stage: 'container',
  message,
  retryable: true,
});
const deadLettered = (reason: Failure) => ({ state: 'deadLettered', detail: '', failure: reason }) as const;

const lines = suite('what the author of a pipeline reads while it waits');

lines('each step is one plain line', () => {
  assert.is(
    pipelineLog.provisioning(request({ attempt: 5, firstAttempt: 4 }), 3),
    'Request r-123: asking for an agent of profile ubuntu, attempt 2 of 3.',
  );
  assert.is(
    pipelineLog.starting(request()),
    'Agent r-123-1 is queued in Batch pool linux; waiting for a node.',
  );
  assert.is(
    pipelineLog.started(request(), 'preparing', now),
    'Agent r-123-1 has its node, image is being pulled (12 s so far).',
  );
  assert.is(
    pipelineLog.started(request(), 'running', now),
    'Image pulled, container of agent r-123-1 started, waiting for it to come online (12 s so far).',
  );
  assert.is(
    pipelineLog.online(request({ onlineAt: '2026-01-31T10:00:48.000Z', devOpsPool: 'Private Linux' })),
    'Agent r-123-1 is online after 48 s, in agent pool Private Linux.',
  );
  assert.is(
    pipelineLog.retry(1, 3, failure('NodePreempted', 'The node was lost.'), 1_500),
    'Attempt 1 of 3 failed: the node was lost (NodePreempted). Trying again in 1.5 s.',
  );
  assert.is(
    pipelineLog.heldUp(failure('JobDisabled', `The job is disabled. ${remedyFor('JobDisabled')}`)),
    'Held up: the job is disabled (JobDisabled). Ask the platform team to enable the Batch job again. It is tried again by itself.',
  );
});

const nothing: Waiting = { task: undefined, ahead: 0, problem: undefined };
const quota = failure('QuotaReached', 'Batch pool linux has no more cores.');

for (const [changes, waiting, line] of [
  [{ state: 'accepted' }, nothing, 'Request r-123 is waiting to begin (12 s so far).'],
  [
    { state: 'accepted' },
    { ...nothing, place: { ahead: 3, maxAlive: 2 } },
    'Waiting for a free place, 3 ahead: profile ubuntu allows 2 agents at once (12 s so far).',
  ],
  [
    { state: 'accepted' },
    { ...nothing, place: { ahead: 0, maxAlive: 1 } },
    'Waiting for a free place, none ahead: profile ubuntu allows 1 agent at once (12 s so far).',
  ],
  [{ state: 'provisioning' }, nothing, 'Waiting for Azure Batch to take agent r-123-1 (12 s so far).'],
  [{ state: 'starting' }, nothing, 'Waiting for a node in Batch pool linux (12 s so far).'],
  [
    { state: 'starting' },
    { ...nothing, task: 'active', ahead: 2 },
    'Waiting for a node, 2 ahead in Batch pool linux (12 s so far).',
  ],
  [
    { state: 'starting' },
    { ...nothing, task: 'active', problem: quota },
    `Waiting for a node, none ahead in Batch pool linux (12 s so far). Held up: Batch pool linux has no more cores (QuotaReached). ` +
      'Ask the platform team to have the quota of the Batch account raised, make the pool smaller, or end jobs that are no longer needed.',
  ],
  [
    { state: 'starting' },
    { ...nothing, task: 'preparing', problem: quota },
    'Agent r-123-1 has its node, image is being pulled (12 s so far).',
  ],
  [
    { state: 'starting' },
    { ...nothing, task: 'running', problem: quota },
    'Container of agent r-123-1 runs, waiting for it to come online (12 s so far).',
  ],
] as const satisfies readonly (readonly [Partial<AgentRequest>, Waiting, string])[]) {
  lines(line, () => assert.is(pipelineLog.waiting(request(changes), waiting, now), line));
}

lines.run();

const ends = suite('what the author of a pipeline reads when there is no agent');

for (const [what, end, sentence] of [
  [
    'that the platform team can mend',
    deadLettered(
      failure(
        'ImagePullFailed',
        `The agent's image could not be pulled: registry.example/azdo-agent:x was not found. ${remedyFor('ImagePullFailed')}`,
      ),
    ),
    "No agent: the agent's image could not be pulled: registry.example/azdo-agent:x was not found (ImagePullFailed). " +
      "Ask the platform team to check the image's name and tag, and that the pool may pull from the registry. " +
      'Request r-123: https://agents.example.com/api/agents/r-123, help: https://agents.example.com/api/help/ImagePullFailed',
  ],
  [
    'that the author can mend',
    deadLettered(failure('AgentTaken', `The agent ran another job. ${remedyFor('AgentTaken')}`)),
    'No agent: the agent ran another job (AgentTaken). ' +
      'Demand a capability in the job that only this request gives its agent. ' +
      'Request r-123: https://agents.example.com/api/agents/r-123, help: https://agents.example.com/api/help/AgentTaken',
  ],
  [
    'that nobody has foreseen',
    deadLettered(failure('FromTomorrow', 'Azure Batch is upside down')),
    'No agent: Azure Batch is upside down (FromTomorrow). ' +
      'Ask the platform team to find out more from the message of the failure and the log of the app, by the id of the request. ' +
      'Request r-123: https://agents.example.com/api/agents/r-123, help: https://agents.example.com/api/help/FromTomorrow',
  ],
  [
    'as somebody cancelled it',
    { state: 'cancelled', detail: 'Cancelled by request.' },
    'No agent: the request was cancelled before its agent was online. Run the job again if it still needs one. ' +
      'Request r-123: https://agents.example.com/api/agents/r-123',
  ],
  [
    'as it is gone again',
    { state: 'expired', detail: 'Online, but no job came within 600 s.' },
    'No agent: it was online, but no job came to it in time. Run the job again if it still needs one. ' +
      'Request r-123: https://agents.example.com/api/agents/r-123',
  ],
] as const) {
  ends(what, () => assert.is(pipelineLog.noAgent(request(), end, baseUrl), sentence));
}

const longText = fc
  .tuple(fc.string({ unit: 'grapheme' }), fc.nat(3_000))
  .map(([text, length]) => text.padEnd(length, 'no \n more '));

ends('whatever a failure says, it is one line that the log takes, with remedy and links whole', () => {
  const anyCode = fc.constantFrom(...failureGuides().map(({ code }) => code), 'FromTomorrow');
  const anyText = fc.oneof(longText, fc.lorem({ maxCount: 40 }));
  fc.assert(
    fc.property(anyCode, anyText, (code, message) => {
      const line = pipelineLog.noAgent(request(), deadLettered(failure(code, message)), baseUrl);
      assert.ok(line.length <= 1_000, `${line.length} characters`);
      assert.not.match(line, /[\r\n]/);
      assert.ok(line.toLowerCase().includes(guideTo(code).remedy.toLowerCase()));
      assert.ok(line.endsWith(`Request r-123: ${baseUrl}/agents/r-123, help: ${baseUrl}/help/${code}`));
    }),
  );
});

ends('whatever keeps a pool from running tasks, the log takes the line', () => {
  fc.assert(
    fc.property(longText, message => {
      const waiting = { ...nothing, task: 'active', problem: failure('NodesUnusable', message) } as const;
      assert.ok(pipelineLog.waiting(request({ state: 'starting' }), waiting, now).length <= 1_000);
    }),
  );
});

ends.run();
