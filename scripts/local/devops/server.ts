import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import fastify from 'fastify';
import getPort from 'get-port';
import { addCallsAndFaults } from '../calls.js';
import { addClock, ServiceClock } from '../clock.js';
import { listenBacklog, type RunningService } from '../service.js';
import { AgentJobs } from './agent-jobs.js';
import { addAgentRecordsRoute } from './agent-records.js';
import { addAgentRoutes } from './agents.js';
import { Auth, readOrMakePat } from './auth.js';
import { answerErrors } from './errors.js';
import { addEventRoutes } from './events.js';
import { devOpsPresets } from './fault-presets.js';
import { addIdentityRoute } from './identity.js';
import { addJobRequestRoutes, JobQueue } from './job-requests.js';
import { Jobs } from './jobs.js';
import { addLocationRoutes } from './locations.js';
import { RunLog } from './log-view.js';
import { addLogRoutes } from './logs.js';
import { addPipelineRoutes } from './pipeline-routes.js';
import { addPlanRoutes } from './plans.js';
import { addPoolRoutes, createPool, poolNamed } from './pools.js';
import { addRunRoutes } from './run-routes.js';
import { RunVariables } from './run-variables.js';
import { runViews } from './run-view.js';
import { Runs } from './runs.js';
import { Secrets } from './secrets.js';
import { ServerJobs } from './server-jobs.js';
import { forwardTo } from './service-bus-task.js';
import { addSessionRoutes } from './session-routes.js';
import { Sessions } from './sessions.js';
import { State } from './state.js';
import { addTimelineRoutes, Timelines } from './timelines.js';

export interface DevOpsOptions {
  /** 0 or absent: a free one. A restarted stand-in needs its old one: pipelines were told its address. */
  readonly port?: number;
  readonly dataDir: string;
  /** Absent: the one in the file `pat` of the data folder, which is made when it is missing. */
  readonly pat?: string | undefined;
  /** Agent pools to create, when they are missing. */
  readonly pools?: readonly string[];
  /** Give tokens to those who come without one, as the metadata service of a virtual machine does. */
  readonly allowIdentity?: boolean;
  /** An agent that does not listen for this long is offline (default 5 s; 15 s after a restart of the stand-in). */
  readonly offlineAfterMs?: number;
  /** A job whose agent does not renew for this long is given up (default 60 s). */
  readonly lockMs?: number;
  /** How long an agent's request for messages is held open (default 20 s). */
  readonly messageHoldMs?: number;
  /** How long AzureFunction@1 waits for the function's answer (default 20 s). */
  readonly answerTimeoutMs?: number;
  /** Connection string of the storage account to whose queue messages of PublishToAzureServiceBus are forwarded. */
  readonly queueStorage?: string | undefined;
  /** Makes the chances of fault rules reproducible; absent: by chance. */
  readonly seed?: number | undefined;
  /** How far its clock is ahead, or behind when negative. */
  readonly skewSeconds?: number;
}

export interface RunningDevOps extends RunningService {
  /** Address of the organisation, as a person would type it: `http://127.0.0.1:41234/local`. */
  readonly collectionUrl: string;
  readonly pat: string;
}

/** The organisation's name: the first segment of every address. */
const organisation = '/local';
const tickMs = 250;

/** Starts the stand-in of Azure DevOps on 127.0.0.1. */
export async function startDevOps(options: DevOpsOptions): Promise<RunningDevOps> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const pat = readOrMakePat(options.dataDir, options.pat);
  const state = new State(options.dataDir);
  for (const name of options.pools ?? []) if (!poolNamed(state, name)) createPool(state, name);

  const port = options.port === undefined || options.port === 0 ? await getPort() : options.port;
  const url = `http://127.0.0.1:${port}`;
  const collectionUri = `${url}${organisation}/`;

  const offlineAfterMs = options.offlineAfterMs ?? 5_000;
  const auth = new Auth(state, pat);
  const secrets = new Secrets();
  const log = new RunLog(state, secrets);
  const timelines = new Timelines(state, log, secrets);
  const sessions = new Sessions(state, {
    holdMs: options.messageHoldMs ?? 20_000,
    silenceMs: offlineAfterMs,
    silenceAfterRestartMs: offlineAfterMs * 3,
  });
  const queue = new JobQueue(state, sessions, options.lockMs ?? 60_000);
  const variables = new RunVariables(collectionUri);
  const jobs = new Jobs(state, timelines);
  const common = { state, jobs, auth, timelines, log, secrets, variables };
  const serverJobs = new ServerJobs({
    ...common,
    answerTimeoutMs: options.answerTimeoutMs ?? 20_000,
    sendToQueue: options.queueStorage === undefined ? undefined : forwardTo(options.queueStorage),
  });
  const agentJobs = new AgentJobs({ ...common, queue, collectionUri });
  const runs = new Runs({ ...common, serverJobs, agentJobs });
  sessions.serve({
    listening: agentId => queue.schedule(agentId),
    next: (agentId, lastMessageId) => agentJobs.nextMessage(agentId, lastMessageId),
    ended: agentId => queue.release(agentId),
  });

  const server = fastify({
    forceCloseConnections: true,
    bodyLimit: 16 * 1024 * 1024,
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
  });
  // The typed client sends `null` for "no body", and its DELETE may carry a type without content.
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => parseJson(body),
  );
  server.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => body,
  );
  answerErrors(server);
  addClock(server, new ServiceClock(options.skewSeconds));
  addCallsAndFaults(server, { presets: devOpsPresets, seed: options.seed ?? randomInt(2 ** 31) });
  const views = runViews(runs, queue, timelines, log);
  addRunRoutes(server, runs, serverJobs, views);
  addPipelineRoutes(server, runs, views);
  addAgentRecordsRoute(server, state);
  if (options.allowIdentity) addIdentityRoute(server, auth);

  await server.register(
    async scope => {
      addLocationRoutes(scope);
      await scope.register(async plan => {
        plan.addHook('onRequest', auth.requirePlan);
        addPlanRoutes(plan, state, collectionUri);
        addTimelineRoutes(plan, state, timelines, log);
        addLogRoutes(plan, state, log, secrets);
        addEventRoutes(plan, state, runs, serverJobs);
      });
      await scope.register(async org => {
        org.addHook('onRequest', auth.requireOrganisation);
        org.get('/_apis/connectionData', async () => ({
          authenticatedUser: { providerDisplayName: 'Local operator', isActive: true },
          instanceId: '00000000-0000-0000-0000-000000000001',
          deploymentType: 'hosted',
        }));
      });
      await scope.register(
        async org => {
          org.addHook('onRequest', auth.requireOrganisation);
          addPoolRoutes(org, state);
          addAgentRoutes(org, state, sessions, queue);
          addSessionRoutes(org, state, sessions, queue);
          addJobRequestRoutes(org, state, queue);
        },
        { prefix: '/_apis/distributedtask' },
      );
    },
    { prefix: organisation },
  );

  await server.listen({ host: '127.0.0.1', port, backlog: listenBacklog });
  runs.resume();
  const ticking = setInterval(() => {
    queue.expireLocks();
    runs.tick();
  }, tickMs);

  return {
    url,
    collectionUrl: `${url}${organisation}`,
    pat,
    close: async () => {
      clearInterval(ticking);
      runs.close();
      serverJobs.close();
      sessions.close();
      await server.close();
      state.close();
    },
  };
}

function parseJson(body: string): unknown {
  if (body.trim() === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (error) {
    throw Object.assign(new Error('The body is not JSON.', { cause: error }), { statusCode: 400 });
  }
}
