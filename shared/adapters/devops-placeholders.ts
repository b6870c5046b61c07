import * as z from 'zod';
import { placeholderNameOf } from '../domain/names.js';
import type { AgentRegistry, Clock } from '../ports.js';
import { type AgentPools, poolMissing, sameName } from './devops-agent-pools.js';
import { accept, apiVersion, type DevOpsRest, decode, RefusedError } from './devops-rest.js';

/** Then it is asked for again: somebody who tidies a pool up may have removed it. */
const placeholderIsThereForMs = 5 * 60_000;

const Agents = z.object({ value: z.array(z.object({ id: z.number(), name: z.string() })) });

/** Offline agents that only show a pool's jobs that somebody will come. */
export function createPlaceholders(
  { root, call, get }: DevOpsRest,
  { inPool }: AgentPools,
  clock: Pick<Clock, 'now'>,
): Pick<AgentRegistry, 'ensurePlaceholder' | 'hasPlaceholder' | 'removePlaceholder'> {
  const placeholders = new Map<string, { readonly until: number; readonly adding: Promise<void> }>();
  const keyOf = (devOpsPool: string, os: 'linux' | 'windows'): string => `${os} ${devOpsPool}`;

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

  async function findPlaceholder(devOpsPool: string, os: 'linux' | 'windows'): Promise<number | undefined> {
    const name = placeholderNameOf(os);
    const what = `The placeholder agent of pool ${devOpsPool} can't be looked up`;
    const answer = await inPool(devOpsPool, poolId =>
      get(what, `/${poolId}/agents?agentName=${encodeURIComponent(name)}`),
    );
    if (!answer) throw poolMissing(devOpsPool);
    const found = decode(Agents, answer, what).value.find(agent => sameName(agent.name, name));
    // Whoever ensures it next must not believe that it is there still.
    if (!found) placeholders.delete(keyOf(devOpsPool, os));
    return found?.id;
  }

  return {
    ensurePlaceholder: async (devOpsPool, os) => {
      const key = keyOf(devOpsPool, os);
      const now = clock.now().getTime();
      let known = placeholders.get(key);
      if (!known || known.until <= now) {
        known = { until: now + placeholderIsThereForMs, adding: addPlaceholder(devOpsPool, os) };
        placeholders.set(key, known);
        known.adding.catch(() => placeholders.delete(key));
      }
      await known.adding;
    },

    hasPlaceholder: async (devOpsPool, os) => (await findPlaceholder(devOpsPool, os)) !== undefined,

    removePlaceholder: async (devOpsPool, os) => {
      const agentId = await findPlaceholder(devOpsPool, os);
      if (agentId === undefined) return 'absent';
      const what = `The placeholder agent of pool ${devOpsPool} can't be removed`;
      placeholders.delete(keyOf(devOpsPool, os));
      await inPool(devOpsPool, poolId =>
        call(what, rest => rest.del<unknown>(`${root}/${poolId}/agents/${agentId}`, accept(apiVersion))),
      );
      return 'removed';
    },
  };
}

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
