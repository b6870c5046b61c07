import * as z from 'zod';
import type { AgentView } from '../domain/situation.js';
import type { AgentRegistry } from '../ports.js';
import { createAgentPools, Pools, poolMissing, sameName } from './devops-agent-pools.js';
import { createPlaceholders } from './devops-placeholders.js';
import {
  accept,
  apiVersion,
  createDevOpsRest,
  type DevOpsOptions,
  decode,
  RefusedError,
} from './devops-rest.js';
import { createSystemClock } from './system-clock.js';

const recentJobs = 50;
/** Pauses between the tries of what is asked for a better guess only, and so must not fail a step for long. */
const guessPausesMs = [500, 2_000];
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

export function createDevOpsAgentRegistry(options: DevOpsOptions): AgentRegistry {
  const clock = options.clock ?? createSystemClock();
  const devOps = createDevOpsRest(options);
  const { root, call, get } = devOps;
  const pools = createAgentPools(devOps);
  const { inPool, find: findPool } = pools;

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

    ...createPlaceholders(devOps, pools, clock),

    ping: async () => {
      // Any list needs a token that is accepted; this one is empty.
      const what = "Azure DevOps can't be reached";
      decode(Pools, await get(what, '?poolName=azdo-batch-agents-ping'), what);
    },
  };
}

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

const toView = ({ name, status, createdOn, assignedRequest, lastCompletedRequest }: Agent): AgentView => ({
  name,
  online: status === 'online',
  busy: Boolean(assignedRequest),
  ranJob: Boolean(lastCompletedRequest),
  createdOn,
});
