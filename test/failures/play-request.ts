import { randomBytes } from 'node:crypto';
import { activities } from '../../shared/activities/index.js';
import { createBatchCompute } from '../../shared/adapters/batch-compute.js';
import { createDevOpsAgentRegistry } from '../../shared/adapters/devops-agent-registry.js';
import { createDevOpsPipelineCallback } from '../../shared/adapters/devops-pipeline-callback.js';
import { createTokenSeal } from '../../shared/adapters/token-seal.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { agentLifecycle } from '../../shared/workflow/agent-lifecycle.js';
import { type ActivityName, decodeInput } from '../../shared/workflow/contract.js';
import {
  type Call,
  type Scripted,
  type ScriptedServer,
  startScriptedServer,
} from '../adapters/scripted-server.js';
import { somePipeline } from '../fakes/requests.js';
import {
  agentsToken,
  createWorld,
  haveRequest,
  holdsSecret,
  jobToken,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';
import { type Replayed, type World as ReplayWorld, replay } from '../workflow/replay.js';

/**
 * One request from its message to its end: the real orchestration, activities and adapters, in virtual time, against
 * an Azure Batch and an Azure DevOps that answer as a test says. What shows from outside is what a test may look at:
 * the request, the calls that the services got, and what the pipeline was told.
 */
export interface Played {
  readonly request: AgentRequest;
  readonly deadLetters: readonly string[];
  /** How often the services were called so; all kinds of calls are there, zero ones too. */
  readonly counts: CallCounts;
  readonly batchCalls: readonly Call[];
  readonly devOpsCalls: readonly Call[];
  readonly run: Replayed;
  readonly world: World;
}

const batchKey = Buffer.from('canary-batch-account-key').toString('base64');

/** Calls by the words that the tables of errors use. */
const callNames = {
  'GET pool': ({ method, url }) => method === 'GET' && /^\/pools\/[^/]+\?/.test(url),
  'POST jobs': ({ method, url }) => method === 'POST' && url.startsWith('/jobs?'),
  'POST tasks': ({ method, url }) => method === 'POST' && /^\/jobs\/[^/]+\/tasks\?/.test(url),
  'DELETE task': ({ method, url }) => method === 'DELETE' && /^\/jobs\/[^/]+\/tasks\//.test(url),
  'POST terminate': ({ method, url }) => method === 'POST' && url.includes('/terminate?'),
  'GET agent pools': ({ method, url }) => method === 'GET' && url.includes('/pools?'),
  'GET agents': ({ method, url }) => method === 'GET' && /\/pools\/\d+\/agents\?/.test(url),
  'POST agent': ({ method, url }) => method === 'POST' && /\/pools\/\d+\/agents/.test(url),
  'DELETE agent': ({ method, url }) => method === 'DELETE' && /\/pools\/\d+\/agents\//.test(url),
  'POST event': ({ method, url }) => method === 'POST' && url.includes('/events?'),
  'POST feed': ({ url }) => url.includes('/feed?'),
  'PATCH records': ({ method, url }) => method === 'PATCH' && url.includes('/records?'),
  'POST logs': ({ method, url }) => method === 'POST' && url.includes('/logs'),
  'GET plan': ({ method, url }) => method === 'GET' && /\/plans\/[^/?]+(?:\?|$)/.test(url),
} satisfies Readonly<Record<string, (call: Call) => boolean>>;
export type CallName = keyof typeof callNames;
export type CallCounts = Readonly<Partial<Record<CallName, number>>>;

export type Answer = Scripted | 'reset';

/** Makes a service misbehave. */
export interface Fault {
  readonly on: CallName;
  readonly answer: Answer;
  /** Default: for ever. */
  readonly times?: number;
  /** The call takes effect before it is answered so. */
  readonly commits?: boolean;
}

export interface Services {
  readonly batch: ScriptedServer;
  readonly devOps: ScriptedServer;
  close(): Promise<void>;
}

export async function startServices(): Promise<Services> {
  const [batch, devOps] = await Promise.all([startScriptedServer(), startScriptedServer()]);
  return {
    batch,
    devOps,
    close: async () => {
      await Promise.all([batch.close(), devOps.close()]);
    },
  };
}

/** When an agent comes, gets its job and ends, in seconds of virtual time: later than any backoff of a fault that ends. */
const agentsLife = [
  { at: 900, name: 'situation', data: { kind: 'agentOnline', attempt: 1 } },
  { at: 1_000, name: 'situation', data: { kind: 'agentBusy', attempt: 1 } },
  { at: 1_100, name: 'situation', data: { kind: 'taskEnded', attempt: 1, exitCode: 0, ranJob: true } },
] as const;

export interface PlayOptions {
  readonly faults?: readonly Fault[];
  /** Default: its agent comes, runs a job and ends. */
  readonly events?: ReplayWorld['events'];
  /** Default: a pipeline waits. */
  readonly waits?: boolean;
  /** What the app has when it comes to unseal the token of the pipeline; default: what sealed it. */
  readonly keys?: (sealedWith: Uint8Array) => readonly Uint8Array[];
}

export async function playRequest(services: Services, options: PlayOptions = {}): Promise<Played> {
  const { batch, devOps } = services;
  const key = randomBytes(32);
  const base = { ...createWorld(), seal: createTokenSeal({ keys: [key] }) };
  const world = {
    ...base,
    seal: createTokenSeal({ keys: options.keys?.(key) ?? [key] }),
    compute: createBatchCompute({
      accountUrl: batch.url,
      auth: { accountName: 'account', accountKey: batchKey },
      clock: base.clock,
    }),
    registry: createDevOpsAgentRegistry({
      organizationUrl: `${devOps.url}/contoso/`,
      auth: { personalAccessToken: agentsToken },
      clock: base.clock,
    }),
    pipeline: createDevOpsPipelineCallback(base.clock),
  };
  const faults = (options.faults ?? []).map(fault => ({
    ...fault,
    left: fault.times ?? Number.POSITIVE_INFINITY,
  }));
  const misbehaving =
    (healthy: (call: Call) => Scripted) =>
    (call: Call): Answer => {
      const fault = faults.find(({ on, left }) => left > 0 && callNames[on](call));
      if (!fault) return healthy(call);
      fault.left -= 1;
      if (fault.commits) healthy(call);
      return fault.answer;
    };
  batch.script(misbehaving(healthyBatch()));
  devOps.script(misbehaving(healthyDevOps));

  const pipeline = { ...somePipeline, planUrl: `${devOps.url}/contoso/` };
  await haveRequest(
    base,
    'accepted',
    options.waits === false ? { pipeline } : { ...waitingPipeline(base), pipeline },
  );
  await dispatchMessage(world)(new TextEncoder().encode('{"version":1,"requestId":"r-1"}'), 'message-1', 1);
  const names = Object.keys(activities).filter((name): name is ActivityName => name in decodeInput);
  const run = await replay(agentLifecycle, {
    input: base.orchestrations.running.get('r-1'),
    instanceId: 'r-1',
    events: options.events ?? agentsLife,
    activities: Object.fromEntries(
      names.map(name => [
        name,
        async (input: unknown, _call: number, at: Date): Promise<unknown> => {
          base.clock.advance(Math.max(0, at.getTime() - base.clock.now().getTime()));
          return runActivity(name, input);
        },
      ]),
    ),
  });
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it ties an activity to the decoding of its input
  async function runActivity<Name extends ActivityName>(name: Name, input: unknown): Promise<unknown> {
    return activities[name](world)(decodeInput[name](input));
  }
  const stored = await base.store.get('r-1');
  if (!stored) throw new Error('The request is lost.');
  const all = [...batch.calls, ...devOps.calls];
  return {
    request: stored.request,
    deadLetters: base.queue.deadLetters,
    counts: Object.fromEntries(
      Object.entries(callNames).map(([name, matches]) => [name, all.filter(matches).length]),
    ),
    batchCalls: batch.calls,
    devOpsCalls: devOps.calls,
    run,
    world: base,
  };
}

/** Knows which jobs and tasks it has, and says so as the service does. */
function healthyBatch(): (call: Call) => Scripted {
  const jobs = new Set<string>();
  const tasks = new Set<string>();
  return ({ method, url, body }) => {
    const [path = ''] = url.split('?');
    const [, , jobId = '', , taskId = ''] = path.split('/');
    const add = (set: Set<string>, code: string, prefix = ''): Scripted => {
      const id = prefix + (/"id":"([^"]+)"/.exec(body)?.[1] ?? '');
      if (set.has(id)) return batchRefusal(409, code);
      set.add(id);
      return { status: 201 };
    };
    if (method === 'POST' && path === '/jobs') return add(jobs, 'JobExists');
    if (method === 'POST' && path.endsWith('/tasks')) return add(tasks, 'TaskExists', `${jobId}/`);
    if (method === 'DELETE') {
      return tasks.delete(`${jobId}/${taskId}`) ? { status: 200 } : batchRefusal(404, 'TaskNotFound');
    }
    if (path.startsWith('/pools/'))
      return { status: 200, body: { id: 'batchLinux', state: 'active', value: [] } };
    if (path.includes('/files/')) return batchRefusal(404, 'FileNotFound');
    if (taskId !== '') return { status: 200, body: { id: taskId, state: 'running' } };
    return {
      status: 200,
      body: { id: jobId, state: 'active', poolInfo: { poolId: 'batchLinux' }, value: [] },
    };
  };
}

/** As the service writes an error. */
export const batchRefusal = (
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Scripted => ({
  status,
  headers,
  body: {
    'odata.metadata': 'https://account.region.batch.azure.com/$metadata#Element',
    code,
    message: { lang: 'en-US', value: `About ${code}.\nRequestId:1\nTime:2026-01-31T10:00:00Z` },
  },
});

export const devOpsRefusal = (status: number, typeKey: string, message = `About ${typeKey}.`): Scripted => ({
  status,
  body: { $id: '1', innerException: null, message, typeName: `Some.${typeKey}`, typeKey, errorCode: 0 },
});

const planLocation = {
  id: '5cecd946-d704-471e-a45f-3b4064fcfaba',
  area: 'distributedtask',
  resourceName: 'plans',
  routeTemplate: '{scopeIdentifier}/_apis/{area}/hubs/{hubName}/{resource}/{planId}',
  resourceVersion: 2,
  minVersion: '1.0',
  maxVersion: '7.2',
  releasedVersion: '0.0',
};

/** Has the agent pool and no agent in it; takes whatever a pipeline is told. */
const healthyDevOps = (call: Call): Scripted => {
  if (call.method === 'OPTIONS') return { status: 200, body: { count: 1, value: [planLocation] } };
  if (callNames['GET agent pools'](call)) {
    return {
      status: 200,
      body: { count: 1, value: [{ id: 7, name: 'Private Linux', poolType: 'automation' }] },
    };
  }
  if (callNames['GET plan'](call)) return { status: 200, body: { planId: 'plan', state: 'inProgress' } };
  if (callNames['POST event'](call) || call.method === 'DELETE') return { status: 204 };
  return { status: 200, body: { id: 9, count: 0, value: [] } };
};

/** How a request ended, in a few words: `completed`, or `deadLettered PoolMissing nodeAllocation`. */
export const endOf = ({ request: { state, failure } }: Played): string =>
  failure ? `${state} ${failure.code} ${failure.stage}` : state;

/** What we sent with our calls, and no row, log line, dead letter or history may show. */
export function mustShowNoSecret({ world, run }: Played): void {
  const shown = traces(world) + JSON.stringify(run.history);
  for (const secret of [jobToken, agentsToken, batchKey]) {
    if (holdsSecret(shown, secret)) throw new Error(`A secret is shown: ${secret}`);
  }
}
