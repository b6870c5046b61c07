import type { TokenCredential } from '@azure/identity';
import { getBearerHandler, getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import * as z from 'zod';
import { TransientError } from '../domain/failure.js';
import { placeholderNameOf } from '../domain/names.js';
import type { AgentView } from '../domain/situation.js';
import type { AgentRegistry, Clock } from '../ports.js';
import { cachedCredential } from './cached-credential.js';
import { type DevOpsFacts, describeAnswer, devOpsFacts, isAuthStatus, isTransient } from './devops-errors.js';
import { createDevOpsThrottle } from './devops-throttle.js';
import { product } from './product.js';
import { describeNoAnswer, factsOf } from './service-errors.js';
import { createSystemClock } from './system-clock.js';

export interface DevOpsAgentRegistryOptions {
  /** The organisation, e.g. `https://dev.azure.com/contoso`. */
  readonly organizationUrl: string;
  readonly auth: { readonly personalAccessToken: string } | { readonly credential: TokenCredential };
  readonly clock?: Clock;
  /** Called each time that the service asks us to call less often. */
  readonly onThrottle?: () => void;
}

/** Azure DevOps as a resource of Entra ID, the same in every tenant. */
const scope = '499b84ac-1321-427f-aa17-267ca6975798/.default';
const callTimeoutMs = 15_000;
const apiVersion = '6.0';
const recentJobs = 50;
/** Pauses between the tries of what is asked for a better guess only, and so must not fail a step for long. */
const guessPausesMs = [500, 2_000];
/** Then it is asked for again: somebody who tidies a pool up may have removed it. */
const placeholderIsThereForMs = 5 * 60_000;

const Pools = z.object({
  value: z.array(z.object({ id: z.number(), name: z.string(), poolType: z.string().optional() })),
});
const Agent = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string().optional(),
  createdOn: z.string().optional(),
  assignedRequest: z.object({}).nullish(),
  lastCompletedRequest: z.object({}).nullish(),
});
type Agent = z.infer<typeof Agent>;
const Agents = z.object({ value: z.array(Agent) });
const JobRequest = z.object({
  reservedAgent: z.object({ name: z.string().optional() }).nullish(),
  receiveTime: z.string().nullish(),
  finishTime: z.string().nullish(),
  result: z.unknown().optional(),
});
type JobRequest = z.infer<typeof JobRequest>;
const JobRequests = z.object({ value: z.array(JobRequest) });

interface Answer {
  readonly status: number;
  /** JSON, or null: 404, an empty answer, or a page that is none. */
  readonly body: unknown;
}

type Rest = WebApi['rest'];

/**
 * Calls go out by URL instead of through the client's typed methods: those ask for the service's routes first, hide
 * the status of an answer, and so give the same null for "not found" and for "sign in".
 */
export function createDevOpsAgentRegistry(options: DevOpsAgentRegistryOptions): AgentRegistry {
  const root = `${options.organizationUrl.replace(/\/+$/, '')}/_apis/distributedtask/pools`;
  const clock = options.clock ?? createSystemClock();
  const openRest = restOpener(options);
  const poolIds = new Map<string, number>();
  const placeholders = new Map<string, { readonly until: number; readonly adding: Promise<void> }>();
  const throttle = createDevOpsThrottle(clock, 'registration', options.onThrottle);

  async function call(what: string, send: (rest: Rest) => Promise<RestAnswer>): Promise<Answer> {
    await throttle.pause();
    let answer: Answer;
    try {
      const { statusCode, result, headers } = await send(await openRest());
      throttle.heed(headers);
      answer = { status: statusCode, body: result };
    } catch (error) {
      if (error instanceof TransientError) throw error;
      const facts = devOpsFacts(error);
      throttle.pauseFor(facts.retryAfterMs);
      if (isTransient(facts) || isAuthStatus(facts.status)) throw unavailable(what, facts);
      throw new RefusedError(facts, what);
    }
    if (isAuthStatus(answer.status)) throw authenticationFailed(what, String(answer.status));
    return answer;
  }

  const get = (what: string, path: string, version = apiVersion): Promise<Answer> =>
    call(what, rest => rest.get<unknown>(`${root}${path}`, accept(version)));

  async function findPool(name: string): Promise<number | undefined> {
    const cached = poolIds.get(name);
    if (cached !== undefined) return cached;
    const what = `Agent pool ${name} can't be looked up`;
    const answer = await get(what, `?poolName=${encodeURIComponent(name)}`);
    // The service's filter also finds names that only begin alike.
    const pool = decode(Pools, answer, what).value.find(
      each => sameName(each.name, name) && each.poolType !== 'deployment',
    );
    if (pool) poolIds.set(name, pool.id);
    return pool?.id;
  }

  /** Calls something of a pool; a pool that was deleted and made again has another id than the one we know. */
  async function inPool(
    name: string,
    send: (poolId: number) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    for (const isLast of [false, true]) {
      const wasCached = poolIds.has(name);
      const poolId = await findPool(name);
      if (poolId === undefined) return undefined;
      const answer = await send(poolId);
      if (answer.status !== 404) return answer;
      poolIds.delete(name);
      if (isLast || !wasCached) return undefined;
    }
    return undefined;
  }

  async function listAgents(devOpsPool: string, query: string): Promise<readonly Agent[]> {
    const what = `The agents of pool ${devOpsPool} can't be listed`;
    const answer = await inPool(devOpsPool, poolId =>
      get(what, `/${poolId}/agents?${query}includeAssignedRequest=true&includeLastCompletedRequest=true`),
    );
    if (!answer) throw poolMissing(devOpsPool);
    return decode(Agents, answer, what).value;
  }

  const findAgent = async (devOpsPool: string, agentName: string): Promise<Agent | undefined> => {
    const agents = await listAgents(devOpsPool, `agentName=${encodeURIComponent(agentName)}&`);
    return agents.find(agent => sameName(agent.name, agentName));
  };

  /** The jobs that wait or run, and the last ones that are over; undefined if that can't be told. */
  async function jobs(devOpsPool: string): Promise<readonly JobRequest[] | undefined> {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await inPool(devOpsPool, poolId =>
          get(
            "Recent jobs can't be listed",
            `/${poolId}/jobrequests?completedRequestCount=${recentJobs}`,
            '',
          ),
        );
        return JobRequests.safeParse(answer?.body).data?.value;
      } catch {
        // The route is documented nowhere: it may fail in any way, and for good. But a guess that is wrong because of
        // one broken connection gives a job that is over another agent.
        const pauseMs = guessPausesMs[tries];
        if (pauseMs === undefined) {
          // Throws where all of Azure DevOps is away: that passes, and then the jobs can be told.
          await get("Azure DevOps can't be reached", '?poolName=azdo-batch-agents-ping');
          return undefined;
        }
        await clock.sleep(pauseMs);
      }
    }
  }

  async function addPlaceholder(devOpsPool: string, os: 'linux' | 'windows'): Promise<void> {
    const what = `The placeholder agent of pool ${devOpsPool} can't be registered`;
    try {
      const answer = await inPool(devOpsPool, poolId =>
        call(what, rest =>
          rest.create<unknown>(`${root}/${poolId}/agents`, placeholder(os), accept(apiVersion)),
        ),
      );
      if (!answer) throw poolMissing(devOpsPool);
    } catch (error) {
      if (!(error instanceof RefusedError && error.isAlreadyThere)) throw error;
    }
  }

  return {
    poolExists: async devOpsPool => (await findPool(devOpsPool)) !== undefined,

    listAgents: async devOpsPool => (await listAgents(devOpsPool, '')).map(toView),

    getAgent: async (devOpsPool, agentName) => {
      const agent = await findAgent(devOpsPool, agentName);
      return agent && toView(agent);
    },

    ranJob: async (devOpsPool, agentName) => {
      const recent = await jobs(devOpsPool);
      if (!recent) return undefined;
      if (jobOf(recent.filter(wasTaken), agentName)) return true;
      // In a busy pool the job may have been pushed off the end of the list by later ones.
      return recent.filter(isFinished).length < recentJobs ? false : undefined;
    },

    jobResult: async (devOpsPool, agentName) => {
      const job = jobOf(((await jobs(devOpsPool)) ?? []).filter(isFinished), agentName);
      return job && resultOf(job.result);
    },

    removeAgent: async (devOpsPool, agentName) => {
      if ((await findPool(devOpsPool)) === undefined) return 'removed';
      const agent = await findAgent(devOpsPool, agentName);
      if (!agent) return 'removed';
      try {
        await inPool(devOpsPool, poolId =>
          call(`Agent ${agentName} can't be removed from pool ${devOpsPool}`, rest =>
            rest.del<unknown>(`${root}/${poolId}/agents/${agent.id}`, accept(apiVersion)),
          ),
        );
        return 'removed';
      } catch (error) {
        if (error instanceof RefusedError && error.isBusy) return 'busy';
        throw error;
      }
    },

    ensurePlaceholder: async (devOpsPool, os) => {
      const key = `${os} ${devOpsPool}`;
      const now = clock.now().getTime();
      let known = placeholders.get(key);
      if (!known || known.until <= now) {
        known = { until: now + placeholderIsThereForMs, adding: addPlaceholder(devOpsPool, os) };
        placeholders.set(key, known);
        known.adding.catch(() => placeholders.delete(key));
      }
      await known.adding;
    },

    ping: async () => {
      // Any list needs a token that is accepted; this one is empty.
      const what = "Azure DevOps can't be reached";
      decode(Pools, await get(what, '?poolName=azdo-batch-agents-ping'), what);
    },
  };
}

interface RestAnswer {
  readonly statusCode: number;
  readonly result: unknown;
  readonly headers: object;
}

/** A call that Azure DevOps understood and refused; the same call will be refused again. */
class RefusedError extends TransientError {
  readonly #facts: DevOpsFacts;

  constructor(facts: DevOpsFacts, what: string) {
    super(
      'AzDORequestRefused',
      'registration',
      `${what}: Azure DevOps answered ${describeAnswer(facts)}. ${facts.message ?? ''}`.trim(),
    );
    this.#facts = facts;
  }

  get isAlreadyThere(): boolean {
    return this.#facts.status === 409 || this.#facts.typeKey === 'TaskAgentExistsException';
  }

  get isBusy(): boolean {
    const { status, typeKey, message } = this.#facts;
    return status === 409 || /StillRunning/i.test(typeKey ?? '') || /running|in use/i.test(message ?? '');
  }
}

/** A client for each token: its own way of carrying one can't be changed later. */
function restOpener({ organizationUrl, auth }: DevOpsAgentRegistryOptions): () => Promise<Rest> {
  const open = (handler: ReturnType<typeof getBearerHandler>): Rest =>
    new WebApi(
      organizationUrl,
      handler,
      {
        socketTimeout: callTimeoutMs,
        keepAlive: true,
        allowRetries: false,
        // The only redirect of this API leads to the sign-in page; following it would hide that.
        allowRedirects: false,
      },
      product,
    ).rest;
  if ('personalAccessToken' in auth) {
    const rest = open(getPersonalAccessTokenHandler(auth.personalAccessToken));
    return () => Promise.resolve(rest);
  }
  const credential = cachedCredential(auth.credential);
  let latest: { token: string; rest: Rest } | undefined;
  return async () => {
    const token = await credential.getToken(scope).catch((error: unknown) => {
      throw authenticationFailed("No Entra token can be had for this app's identity", describe(error));
    });
    if (!token)
      throw authenticationFailed("No Entra token can be had for this app's identity", 'none was given');
    if (latest?.token !== token.token) {
      latest = { token: token.token, rest: open(getBearerHandler(token.token)) };
    }
    return latest.rest;
  };
}

const accept = (version: string): { acceptHeader: string } => ({
  acceptHeader: version === '' ? 'application/json' : `application/json;api-version=${version}`,
});

function decode<T>(schema: z.ZodType<T>, { status, body }: Answer, what: string): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  // A list is never null: what looks like one is a page for people, which is how a bad token is answered.
  if (body === null || body === undefined) throw authenticationFailed(what, String(status));
  throw new TransientError(
    'AzDOUnavailable',
    'registration',
    `${what}: Azure DevOps gave an answer that can't be understood.`,
  );
}

const unavailable = (what: string, facts: DevOpsFacts): TransientError => {
  if (isAuthStatus(facts.status)) return authenticationFailed(what, describeAnswer(facts));
  const code = facts.status === 429 ? 'AzDOThrottled' : 'AzDOUnavailable';
  const why =
    facts.status === undefined
      ? `Azure DevOps can't be reached: ${describeNoAnswer(facts.code)}`
      : `Azure DevOps answered ${describeAnswer(facts)}`;
  return new TransientError(code, 'registration', `${what}. ${why}.`, facts.retryAfterMs);
};

const authenticationFailed = (what: string, answer: string): TransientError =>
  new TransientError(
    'AzDOAuthenticationFailed',
    'registration',
    `${what}: Azure DevOps did not accept our sign-in (${answer}). Check that AzDOToken is valid, or that this app's ` +
      'identity is a member of the organisation and Administrator of the agent pool.',
  );

const poolMissing = (devOpsPool: string): TransientError =>
  new TransientError(
    'AgentPoolMissing',
    'registration',
    `Azure DevOps has no agent pool named ${devOpsPool} that we may see. Create it, or correct the profile's devOpsPool.`,
  );

const isFinished = ({ finishTime, result }: JobRequest): boolean => Boolean(finishTime ?? result);

/** An agent that dies at work leaves its job as it was, until the service has missed it for long enough. */
const wasTaken = (job: JobRequest): boolean => isFinished(job) || Boolean(job.receiveTime);

const jobOf = (jobs: readonly JobRequest[], agentName: string): JobRequest | undefined =>
  jobs.find(({ reservedAgent }) => sameName(reservedAgent?.name ?? '', agentName));

/** The words of the service, and the numbers that some of its versions write instead. */
function resultOf(result: unknown): 'succeeded' | 'failed' | 'canceled' {
  const word = String(result).toLowerCase();
  if (['succeeded', 'succeededwithissues', 'skipped', '0', '1', '4'].includes(word)) return 'succeeded';
  return word === 'canceled' || word === '3' ? 'canceled' : 'failed';
}

const describe = (error: unknown): string => factsOf(error).message ?? 'unknown error';

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const toView = ({ name, status, createdOn, assignedRequest, lastCompletedRequest }: Agent): AgentView => ({
  name,
  online: status === 'online',
  busy: Boolean(assignedRequest),
  ranJob: Boolean(lastCompletedRequest),
  createdOn,
});

/** Newer than any agent, so that the service never tries to update it. */
const placeholderVersion = '99.999.9';

function placeholder(os: 'linux' | 'windows') {
  const name = placeholderNameOf(os);
  return {
    name,
    version: placeholderVersion,
    osDescription: os === 'linux' ? 'Linux' : 'Windows',
    enabled: true,
    status: 'offline',
    provisioningState: 'Provisioned',
    systemCapabilities: {
      'Agent.Name': name,
      'Agent.OS': os === 'linux' ? 'Linux' : 'Windows_NT',
      'Agent.Version': placeholderVersion,
    },
  };
}
