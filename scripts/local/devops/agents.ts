import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { recordRegistration, recordRemoval } from './agent-records.js';
import { capabilitiesOf, parseDemand, satisfies } from './demands.js';
import { agentBusy, agentExists, agentNotFound, badRequest } from './errors.js';
import type { JobQueue } from './job-requests.js';
import { findPool } from './pools.js';
import type { Agent } from './rows.js';
import type { Sessions } from './sessions.js';
import { agentNameIn, now, type State } from './state.js';
import { decode, flag, list, number } from './wire.js';

const Capabilities = z
  .record(z.string(), z.string())
  .nullish()
  .transform(given => given ?? {});
const AgentBody = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(64)
    .regex(/^[^"/\\[\]:|<>+=;?*,]+$/, 'has a character that an agent name can not have'),
  version: z.string().default('0.0.0'),
  osDescription: z.string().default(''),
  enabled: z.boolean().default(true),
  provisioningState: z.string().default('Provisioned'),
  // `status` is accepted and has no effect: an agent is online while it holds a session, whatever anyone says.
  status: z.unknown().optional(),
  systemCapabilities: Capabilities,
  userCapabilities: Capabilities,
});

const ShowQuery = z.object({
  includeCapabilities: flag,
  includeAssignedRequest: flag,
  includeLastCompletedRequest: flag,
});
const ListQuery = ShowQuery.extend({ agentName: z.string().optional(), demands: z.string().optional() });

interface PoolParams {
  readonly Params: { readonly poolId: string };
}
interface AgentParams {
  readonly Params: { readonly poolId: string; readonly agentId: string };
}

export function findAgent(state: State, poolId: number, id: unknown): Agent {
  const agentId = decode(number, id, 'The agent id');
  const agent = state.agents.get(agentId);
  if (!agent || agent.poolId !== poolId) throw agentNotFound(agentId, poolId);
  return agent;
}

export function addAgentRoutes(
  server: FastifyInstance,
  state: State,
  sessions: Sessions,
  queue: JobQueue,
): void {
  const view = (agent: Agent, show: z.infer<typeof ShowQuery>) => ({
    id: agent.id,
    name: agent.name,
    version: agent.version,
    osDescription: agent.osDescription,
    enabled: agent.enabled,
    status: sessions.isOnline(agent.id) ? 'online' : 'offline',
    provisioningState: agent.provisioningState,
    maxParallelism: 1,
    createdOn: agent.createdOn,
    ...(show.includeCapabilities && {
      systemCapabilities: agent.systemCapabilities,
      userCapabilities: agent.userCapabilities,
    }),
    ...(show.includeAssignedRequest && { assignedRequest: queue.assignedTo(agent.id) }),
    ...(show.includeLastCompletedRequest && { lastCompletedRequest: queue.lastCompletedBy(agent.id) }),
  });
  const everything = {
    includeCapabilities: true,
    includeAssignedRequest: true,
    includeLastCompletedRequest: true,
  };

  server.get<PoolParams>('/pools/:poolId/agents', async request => {
    const pool = findPool(state, request.params.poolId);
    const query = decode(ListQuery, request.query, 'The query');
    const demands = query.demands?.split(',').filter(demand => demand !== '') ?? [];
    const agents =
      query.agentName === undefined
        ? state.agentsInPool(pool.id)
        : state.agentsNamed(agentNameIn(pool.id, query.agentName));
    return list(agents.filter(agent => matches(agent, demands)).map(agent => view(agent, query)));
  });

  server.get<AgentParams>('/pools/:poolId/agents/:agentId', async request => {
    const pool = findPool(state, request.params.poolId);
    const show = decode(ShowQuery, request.query, 'The query');
    return view(findAgent(state, pool.id, request.params.agentId), show);
  });

  server.post<PoolParams>('/pools/:poolId/agents', async request => {
    const pool = findPool(state, request.params.poolId);
    const body = decode(AgentBody, request.body, 'The agent');
    if (state.agentsNamed(agentNameIn(pool.id, body.name)).length > 0) throw agentExists(body.name, pool.id);
    const id = state.next('agent');
    const agent = state.agents.put(id, { ...registration(body), id, poolId: pool.id, createdOn: now() });
    recordRegistration(state, agent);
    return view(agent, everything);
  });

  server.put<AgentParams>('/pools/:poolId/agents/:agentId', async request => {
    const pool = findPool(state, request.params.poolId);
    const agent = findAgent(state, pool.id, request.params.agentId);
    const body = decode(AgentBody, request.body, 'The agent');
    const namesakes = state.agentsNamed(agentNameIn(pool.id, body.name));
    if (namesakes.some(other => other.id !== agent.id)) throw agentExists(body.name, pool.id);
    return view(
      state.agents.put(agent.id, {
        ...registration(body),
        id: agent.id,
        poolId: pool.id,
        createdOn: agent.createdOn,
      }),
      everything,
    );
  });

  server.delete<AgentParams>('/pools/:poolId/agents/:agentId', async (request, reply) => {
    const pool = findPool(state, request.params.poolId);
    const agent = findAgent(state, pool.id, request.params.agentId);
    if (queue.isRunning(agent.id)) throw agentBusy(agent.name);
    state.agents.remove(agent.id);
    sessions.endOf(agent.id);
    recordRemoval(state, agent.id);
    return reply.code(204).send();
  });
}

function matches(agent: Agent, demands: readonly string[]): boolean {
  try {
    return demands.length === 0 || satisfies(capabilitiesOf(agent), demands.map(parseDemand));
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

const registration = (body: z.infer<typeof AgentBody>) => ({
  name: body.name,
  version: body.version,
  osDescription: body.osDescription,
  enabled: body.enabled,
  provisioningState: body.provisioningState,
  systemCapabilities: body.systemCapabilities,
  userCapabilities: body.userCapabilities,
});
