import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { findAgent } from './agents.js';
import type { JobQueue } from './job-requests.js';
import { findPool } from './pools.js';
import type { Sessions } from './sessions.js';
import type { State } from './state.js';
import { decode, number } from './wire.js';

const NewSession = z.object({ ownerName: z.string().min(1), agent: z.object({ id: z.int() }) });
const PollQuery = z.object({ sessionId: z.string(), lastMessageId: z.coerce.number().int().default(0) });
const AckQuery = z.object({ sessionId: z.string() });

export function addSessionRoutes(
  server: FastifyInstance,
  state: State,
  sessions: Sessions,
  queue: JobQueue,
): void {
  server.post<{ Params: { poolId: string } }>('/pools/:poolId/sessions', async request => {
    const pool = findPool(state, request.params.poolId);
    const body = decode(NewSession, request.body, 'The session');
    const agent = findAgent(state, pool.id, body.agent.id);
    const session = sessions.open(agent, body.ownerName);
    return {
      sessionId: session.id,
      ownerName: session.ownerName,
      agent: { id: agent.id, name: agent.name, version: agent.version, osDescription: agent.osDescription },
    };
  });

  server.delete<{ Params: { poolId: string; sessionId: string } }>(
    '/pools/:poolId/sessions/:sessionId',
    async (request, reply) => {
      findPool(state, request.params.poolId);
      sessions.end(sessions.find(request.params.sessionId));
      return reply.code(204).send();
    },
  );

  server.get<{ Params: { poolId: string } }>('/pools/:poolId/messages', async (request, reply) => {
    findPool(state, request.params.poolId);
    const query = decode(PollQuery, request.query, 'The query');
    const session = sessions.find(query.sessionId);
    const hungUp = new AbortController();
    // Of the answer, not of the connection: an agent asks over one connection again and again.
    reply.raw.once('close', () => hungUp.abort('hung up'));
    const message = await sessions.poll(session, query.lastMessageId, hungUp.signal);
    return message ?? reply.code(202).send();
  });

  server.delete<{ Params: { poolId: string; messageId: string } }>(
    '/pools/:poolId/messages/:messageId',
    async (request, reply) => {
      findPool(state, request.params.poolId);
      const { sessionId } = decode(AckQuery, request.query, 'The query');
      const messageId = decode(number, request.params.messageId, 'The message id');
      queue.acknowledge(sessions.find(sessionId).agentId, messageId);
      return reply.code(204).send();
    },
  );
}
