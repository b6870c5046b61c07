import * as z from 'zod';
import type { DevOpsProbe } from '../ports/probes.js';
import { createAgentPools, Pools, sameName } from './devops-agent-pools.js';
import {
  accept,
  apiVersion,
  createDevOpsRest,
  type DevOpsOptions,
  decode,
  RefusedError,
} from './devops-rest.js';

/**
 * The same each time, so that what a process has left behind that died in between goes with the next try. It ends in
 * no number, as the names of agents do: nobody takes it for one of a request.
 */
const agentName = 'azdo-batch-agents-doctor-probe';

const Headers = z.object({
  date: z.string().optional(),
  'x-ratelimit-remaining': z.string().optional(),
  'x-ratelimit-limit': z.string().optional(),
  'x-ratelimit-resource': z.string().optional(),
  'x-ratelimit-delay': z.string().optional(),
});
const Agents = z.object({ value: z.array(z.object({ id: z.number(), name: z.string() })) });

/** Tries of Azure DevOps that leave nothing behind. */
export function createDevOpsProbe(options: DevOpsOptions): DevOpsProbe {
  const devOps = createDevOpsRest(options);
  const { root, call, get } = devOps;

  return {
    signIn: async () => {
      const what = "Azure DevOps can't be reached";
      const answer = await get(what, '?poolName=azdo-batch-agents-ping');
      decode(Pools, answer, what);
      const headers = Headers.safeParse(answer.headers).data ?? {};
      const at = Date.parse(headers.date ?? '');
      return { serviceTime: Number.isNaN(at) ? undefined : new Date(at), share: shareOf(headers) };
    },

    manageAgents: async devOpsPool => {
      const { inPool } = createAgentPools(devOps);
      const remove = async (): Promise<void> => {
        const what = `The agents of pool ${devOpsPool} can't be listed`;
        const answer = await inPool(devOpsPool, poolId =>
          get(what, `/${poolId}/agents?agentName=${agentName}`),
        );
        const found =
          answer && decode(Agents, answer, what).value.find(({ name }) => sameName(name, agentName));
        if (!found) return;
        await inPool(devOpsPool, poolId =>
          call(`Agent ${agentName} can't be removed from pool ${devOpsPool}`, rest =>
            rest.del<unknown>(`${root}/${poolId}/agents/${found.id}`, accept(apiVersion)),
          ),
        );
      };
      let made: unknown;
      try {
        made = await inPool(devOpsPool, poolId =>
          call(`An agent can't be registered in pool ${devOpsPool}`, rest =>
            rest.create<unknown>(`${root}/${poolId}/agents`, probeAgent, accept(apiVersion)),
          ),
        );
      } catch (error) {
        // Left behind by a try that died, or its answer was lost.
        if (!(error instanceof RefusedError && error.isAlreadyThere)) {
          await remove().catch(() => undefined);
          throw error;
        }
        made = error;
      }
      if (made === undefined) return false;
      await remove();
      return true;
    },
  };
}

function shareOf(headers: z.infer<typeof Headers>): string | undefined {
  const { 'x-ratelimit-remaining': left, 'x-ratelimit-limit': limit, 'x-ratelimit-delay': delay } = headers;
  if (left === undefined && delay === undefined) return undefined;
  const resource = headers['x-ratelimit-resource'] ?? 'the service';
  return (
    `${left ?? '?'} of ${limit ?? '?'} units of ${resource} are left` +
    (delay === undefined ? '' : `, and calls are held back by ${delay} s`)
  );
}

/** Disabled and offline: no job is ever sent to it, nor waits for it. */
const probeAgent = {
  name: agentName,
  version: '99.999.9',
  osDescription: 'Linux',
  enabled: false,
  status: 'offline',
  provisioningState: 'Provisioned',
  systemCapabilities: { 'Agent.Name': agentName },
};
