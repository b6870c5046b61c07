import { TransientError } from '../../shared/domain/failure.js';
import { placeholderNameOf } from '../../shared/domain/names.js';
import type { AgentView } from '../../shared/domain/situation.js';
import type { AgentRegistry } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

export interface FakeAgentRegistry extends AgentRegistry, Knobs<AgentRegistry> {
  /** Registers an agent or changes it; offline, idle and new unless told otherwise. */
  readonly put: (
    devOpsPool: string,
    agentName: string,
    view?: Partial<AgentView>,
    result?: 'succeeded' | 'failed' | 'canceled',
  ) => void;
  /** Takes an agent's registration away, as if it had removed itself. */
  readonly drop: (devOpsPool: string, agentName: string) => void;
  readonly agents: (devOpsPool: string) => readonly AgentView[];
}

/** @param pools agent pools that exist. */
export function createFakeAgentRegistry(
  pools: readonly string[],
  now = () => new Date('2026-01-31T10:00:30.000Z'),
): FakeAgentRegistry {
  const agents = new Map(pools.map(pool => [pool, new Map<string, AgentView>()]));
  /** Outlives the registrations, as the list of recent jobs does. */
  const haveRun = new Set<string>();
  const jobResults = new Map<string, 'succeeded' | 'failed' | 'canceled'>();

  const inPool = (devOpsPool: string): Map<string, AgentView> => {
    const found = agents.get(devOpsPool);
    if (found) return found;
    throw new TransientError('AgentPoolMissing', 'registration', `There is no agent pool ${devOpsPool}.`);
  };
  const put: FakeAgentRegistry['put'] = (devOpsPool, agentName, view = {}, result = 'succeeded') => {
    const pool = inPool(devOpsPool);
    const key = agentName.toLowerCase();
    const before = pool.get(key) ?? {
      name: agentName,
      online: false,
      busy: false,
      ranJob: false,
      createdOn: now().toISOString(),
    };
    pool.set(key, { ...before, ...view });
    if (view.ranJob || view.busy) haveRun.add(`${devOpsPool}/${key}`);
    if (view.ranJob) {
      jobResults.set(`${devOpsPool}/${key}`, result);
    }
  };

  const registry: AgentRegistry = {
    poolExists: async devOpsPool => agents.has(devOpsPool),
    listAgents: async devOpsPool => [...inPool(devOpsPool).values()],
    getAgent: async (devOpsPool, agentName) => inPool(devOpsPool).get(agentName.toLowerCase()),
    ranJob: async (devOpsPool, agentName) =>
      agents.has(devOpsPool) ? haveRun.has(`${devOpsPool}/${agentName.toLowerCase()}`) : undefined,
    jobResult: async (devOpsPool, agentName) => jobResults.get(`${devOpsPool}/${agentName.toLowerCase()}`),
    removeAgent: async (devOpsPool, agentName) => {
      const pool = agents.get(devOpsPool);
      if (pool?.get(agentName.toLowerCase())?.busy) return 'busy';
      pool?.delete(agentName.toLowerCase());
      return 'removed';
    },
    ensurePlaceholder: async (devOpsPool, os) => {
      const name = placeholderNameOf(os);
      if (!inPool(devOpsPool).has(name)) put(devOpsPool, name);
    },
    hasPlaceholder: async (devOpsPool, os) => inPool(devOpsPool).has(placeholderNameOf(os)),
    removePlaceholder: async (devOpsPool, os) =>
      inPool(devOpsPool).delete(placeholderNameOf(os)) ? 'removed' : 'absent',
    ping: async () => {},
  };
  return withKnobs(registry, {
    put,
    drop: (devOpsPool: string, agentName: string) => void inPool(devOpsPool).delete(agentName.toLowerCase()),
    agents: (devOpsPool: string) => [...inPool(devOpsPool).values()],
  });
}
