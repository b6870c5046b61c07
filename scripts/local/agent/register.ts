import { release, type as systemName } from 'node:os';
import * as z from 'zod';
import { agentVersion } from './capabilities.js';
import { type Client, Refused } from './client.js';
import { AgentExit, exitCode } from './exit.js';

const List = <Item extends z.ZodType>(item: Item) => z.object({ value: z.array(item) });
const Pools = List(z.object({ id: z.int(), name: z.string() }));
const Agent = z.object({ id: z.int(), name: z.string() });
const Agents = List(Agent);
const JobRequests = List(z.object({ reservedAgent: z.object({ name: z.string().optional() }).nullish() }));

/** An agent that a pool knows; it is online only while it has a session. */
export interface Registered {
  readonly poolId: number;
  readonly agentId: number;
  readonly agentName: string;
}

export interface Registration {
  readonly url: string;
  readonly pool: string;
  readonly name: string;
  readonly capabilities: Record<string, string>;
}

/** At its start an agent has nothing to lose: Batch starts it again sooner than the service comes back. */
const startPatienceMs = 60_000;
/** Jobs that are looked at for one of an earlier run; a task is run again within minutes or not at all. */
const recentJobs = 100;

export const poolPath = (poolId: number): string => `/_apis/distributedtask/pools/${poolId}`;

/**
 * Registers, under a name that nobody else has: a registration of the same name is not replaced, not even an
 * offline one, and one that has taken a job is not used again, also after it was given back. A name is used once, so only
 * a rerun of the same task finds it used (its node was taken away): it would run a job that nobody has meant for it.
 *
 * @throws {AgentExit} with the code for each thing that can be wrong.
 */
export async function register(
  client: Client,
  registration: Registration,
  shutdown: AbortSignal,
): Promise<Registered> {
  const { url, pool } = registration;
  try {
    return await registerInPool(client, registration, shutdown);
  } catch (error) {
    if (error instanceof Refused && error.isAboutToken) {
      throw new AgentExit(
        exitCode.tokenRefused,
        `${url} refused the token: it is not valid, or it may not register agents in pool "${pool}".`,
      );
    }
    throw error;
  }
}

async function registerInPool(
  client: Client,
  { pool: poolName, name, capabilities }: Registration,
  shutdown: AbortSignal,
): Promise<Registered> {
  const patience = { patienceMs: startPatienceMs };
  // Only what changes nothing can be broken off: a registration that was sent may have arrived.
  const asking = { ...patience, signal: shutdown };
  const pools = await client.call(
    'GET',
    `/_apis/distributedtask/pools?poolName=${encodeURIComponent(poolName)}`,
    Pools,
    asking,
  );
  const pool = pools.value.find(candidate => candidate.name.toLowerCase() === poolName.toLowerCase());
  if (!pool) {
    throw new AgentExit(exitCode.poolUnknown, `There is no agent pool "${poolName}" in this organisation.`);
  }
  const path = poolPath(pool.id);
  const query = `agentName=${encodeURIComponent(name)}`;
  const namesakes = await client.call('GET', `${path}/agents?${query}`, Agents, asking);
  if (namesakes.value.length > 0) throw nameInUse(name, poolName);
  const jobs = await client.call(
    'GET',
    `${path}/jobrequests?completedRequestCount=${recentJobs}&${query}`,
    JobRequests,
    asking,
  );
  if (jobs.value.some(({ reservedAgent }) => reservedAgent?.name?.toLowerCase() === name.toLowerCase())) {
    throw hadItsJob(name, poolName);
  }
  const body = {
    name,
    version: agentVersion,
    osDescription: `${systemName()} ${release()}`,
    enabled: true,
    provisioningState: 'Provisioned',
    systemCapabilities: capabilities,
  };
  try {
    const agent = await client.call('POST', `${path}/agents`, Agent, { ...patience, body });
    return { poolId: pool.id, agentId: agent.id, agentName: agent.name };
  } catch (error) {
    if (error instanceof Refused && error.status === 409) throw nameInUse(name, poolName);
    throw error;
  }
}

export async function unregister(client: Client, { poolId, agentId }: Registered): Promise<void> {
  await forget(client, `${poolPath(poolId)}/agents/${agentId}`);
}

/** Deletes at the service. "Already gone" is success. */
export async function forget(client: Client, path: string): Promise<void> {
  try {
    await client.call('DELETE', path, z.unknown(), { patienceMs: startPatienceMs });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
  }
}

const hadItsJob = (name: string, pool: string): AgentExit =>
  new AgentExit(
    exitCode.nameInUse,
    `The name "${name}" was used: an agent of this name has taken a job in pool "${pool}". A name is used once.`,
  );

const nameInUse = (name: string, pool: string): AgentExit =>
  new AgentExit(
    exitCode.nameInUse,
    `The name "${name}" is in use: pool "${pool}" has an agent of this name already, online or not. A name is used once.`,
  );
