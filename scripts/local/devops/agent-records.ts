import type { FastifyInstance } from 'fastify';
import type { Agent } from './rows.js';
import { now, type State } from './state.js';

/**
 * What became of every agent that was ever registered: an agent's registration and sessions leave no trace once they
 * are over, and whoever wants to know whether two agents were there at once can't ask both.
 */
export function recordRegistration(state: State, { id, name }: Agent): void {
  state.agentRecords.put(id, { id, name, registeredAt: now(), sessions: [] });
}

export function recordRemoval(state: State, agentId: number): void {
  const record = state.agentRecords.get(agentId);
  if (record) state.agentRecords.put(agentId, { ...record, removedAt: now() });
}

export function recordSession(state: State, agentId: number): void {
  const record = state.agentRecords.get(agentId);
  if (!record) return;
  state.agentRecords.put(agentId, { ...record, sessions: [...record.sessions, { openedAt: now() }] });
}

export function recordSessionEnd(state: State, agentId: number): void {
  const record = state.agentRecords.get(agentId);
  if (!record) return;
  const sessions = record.sessions.map(session =>
    session.endedAt === undefined ? { ...session, endedAt: now() } : session,
  );
  state.agentRecords.put(agentId, { ...record, sessions });
}

/** `GET /_local/agents`: every agent that was ever registered, with its sessions. */
export function addAgentRecordsRoute(server: FastifyInstance, state: State): void {
  server.get('/_local/agents', async () => state.agentRecords.all());
}
