import type { WithOrchestrations } from '../../shared/activities/dependencies.js';
import type { IntakeDependencies } from '../../shared/api/ask-for-agent.js';
import { type Config, readConfig } from '../../shared/config.js';
import { advance } from '../../shared/domain/lifecycle.js';
import { agentNameOf } from '../../shared/domain/names.js';
import type { AgentRequest, RequestState } from '../../shared/domain/request.js';
import { createAdmissionGate } from '../../shared/limits/admission-gate.js';
import { createBacklogGate } from '../../shared/limits/backlog-gate.js';
import { createLiveListings } from '../../shared/limits/live-listings.js';
import type { RequestStore } from '../../shared/ports.js';
import { noTelemetry } from '../../shared/telemetry/no-telemetry.js';
import { createFakeAgentRegistry, type FakeAgentRegistry } from './agent-registry.js';
import { createFakeClock, type FakeClock } from './clock.js';
import { createFakeCompute, type FakeCompute } from './compute.js';
import { createFakeDrainableQueue, type FakeDrainableQueue } from './drainable-queue.js';
import { createFakeLog, type FakeLog } from './log.js';
import { createFakeOrchestrations, type FakeOrchestrations } from './orchestrations.js';
import { createFakePipelineCallback, type FakePipelineCallback } from './pipeline-callback.js';
import { createFakeRequestQueue, type FakeRequestQueue } from './request-queue.js';
import { createFakeRequestStore, type FakeRequestStore } from './request-store.js';
import { somePipeline, someRequest } from './requests.js';
import { createTestSeal } from './token-seal.js';

/** Everything that the product stands on, pretended; it is its own set of dependencies. */
export interface World extends WithOrchestrations, IntakeDependencies {
  readonly store: FakeRequestStore;
  readonly queue: FakeRequestQueue;
  readonly deadLetters: FakeDrainableQueue;
  readonly poison: FakeDrainableQueue;
  readonly compute: FakeCompute;
  readonly registry: FakeAgentRegistry;
  readonly pipeline: FakePipelineCallback;
  readonly orchestrations: FakeOrchestrations;
  readonly clock: FakeClock;
  readonly log: FakeLog;
}

export const agentsToken = 'the-token-that-agents-register-with';
/** What a pipeline sends as `AuthToken`; it must turn up nowhere. */
export const jobToken = 'eyJ0eXAi.canary-job-token.Zm9vYmFy';
export const linuxPool = 'Private Linux';
export const windowsPool = 'Private Windows';
const mebi = 1024 * 1024;

const testConfig = (env: Readonly<Record<string, string | undefined>> = {}): Config =>
  readConfig({
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    BatchAccountUrl: 'https://account.region.batch.azure.com',
    AzDOUrl: 'https://dev.azure.com/contoso',
    AzDOToken: agentsToken,
    AzDOUbuntuPool: linuxPool,
    AzDOWindowsPool: windowsPool,
    CallbackTokenKey: Buffer.alloc(32, 7).toString('base64'),
    ContainerRegistryServer: 'registry.example.com',
    ReplyQueues: 'agent-replies',
    ...env,
  });

/** Frozen, so worlds can share it; read once, because properties make tens of thousands of worlds. */
const usualConfig = testConfig();

export function createWorld({
  env,
  clock = createFakeClock(),
}: {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: FakeClock;
} = {}): World {
  const config = env ? testConfig(env) : usualConfig;
  const store = createFakeRequestStore();
  const queue = createFakeRequestQueue();
  return {
    config,
    store,
    ...createLimits({ config, store, clock }),
    queue,
    deadLetters: createFakeDrainableQueue(queue.deadLetters),
    poison: createFakeDrainableQueue(),
    compute: createFakeCompute(),
    registry: createFakeAgentRegistry([linuxPool, windowsPool]),
    pipeline: createFakePipelineCallback(),
    orchestrations: createFakeOrchestrations(),
    seal: createTestSeal(),
    clock,
    log: createFakeLog(),
    telemetry: noTelemetry,
    random: () => 0.5,
  };
}

/** The gates as a new process has them. */
export function createLimits({
  config,
  store,
  clock,
}: Pick<World, 'config' | 'clock'> & { readonly store: RequestStore }): Pick<World, 'admission' | 'backlog'> {
  const limits = { config, clock, listings: createLiveListings({ store, clock }) };
  return { admission: createAdmissionGate(limits), backlog: createBacklogGate(limits) };
}

export const originalMessage = '{"version":1,"requestId":"r-1"}';

/** A live request at its first attempt, with all that is there when it has come so far. */
export async function haveRequest(
  world: World,
  state: Exclude<RequestState, 'completed' | 'expired' | 'cancelled' | 'deadLettered'>,
  changes: Partial<AgentRequest> = {},
): Promise<AgentRequest> {
  let request = someRequest(changes);
  const at = request.createdAt;
  const steps = ['accepted', 'provisioning', 'starting', 'online', 'busy'] as const;
  const path = steps.slice(1, steps.indexOf(state) + 1);
  for (const to of path) {
    const attempt = Math.max(request.attempt, request.firstAttempt);
    const agentName = agentNameOf(request.requestId, attempt);
    request = advance(request, { to, at, attempt, agentName, detail: to });
    if (to === 'starting') request = { ...request, batch: await haveTask(world, request) };
    if (to === 'online') world.registry.put(request.devOpsPool, agentName, { online: true });
    if (to === 'busy') world.registry.put(request.devOpsPool, agentName, { busy: true });
  }
  await world.store.insert(request, new TextEncoder().encode(originalMessage));
  return request;
}

async function haveTask(world: World, request: AgentRequest): Promise<NonNullable<AgentRequest['batch']>> {
  const created = await world.compute.createTask({
    profile: request.profile,
    day: '20260131',
    poolId: 'batchLinux',
    taskId: request.agentName ?? '?',
    image: request.image,
    os: 'linux',
    slots: 1,
    environment: {},
    maxWallClockMinutes: 60,
  });
  if (created.kind !== 'created') throw new Error('The fake Batch refused a task.');
  world.compute.change(created.batch.taskId, { state: 'running' });
  return created.batch;
}

/** What a request has when a pipeline waits for it. */
export const waitingPipeline = (
  { seal }: Pick<World, 'seal'>,
  requestId = 'r-1',
): Pick<AgentRequest, 'pipeline' | 'callback'> => ({
  pipeline: somePipeline,
  callback: { sealedToken: seal.seal(requestId, jobToken) },
});

/** Whether a secret is to be read anywhere in a text, plain or in base64 at any offset. */
export function holdsSecret(text: string, secret = jobToken): boolean {
  const bytes = Buffer.from(secret);
  const encoded = [0, 1, 2].flatMap(offset => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    // The first and last characters depend on the neighbours.
    return [shifted.toString('base64').slice(4, -4), shifted.toString('base64url').slice(4, -4)];
  });
  return [secret, ...encoded].some(each => text.includes(each));
}

/** Everything that could be stored, sent, shown or logged, as one text. */
export const traces = (world: World): string =>
  JSON.stringify(
    [
      world.store.requests(),
      world.store.calls,
      world.queue.calls,
      world.compute.calls,
      world.orchestrations.calls,
      world.log.lines,
      world.pipeline.lines,
      world.pipeline.notes,
    ],
    (_key, value: unknown) =>
      value instanceof Uint8Array && value.length < mebi ? Buffer.from(value).toString('utf8') : value,
  );
