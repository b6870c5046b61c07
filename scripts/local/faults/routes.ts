import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { CallCounts } from './call-counts.js';
import type { Faults } from './faults.js';

export const BitesQuery = z.object({ after: z.coerce.number().int().min(0).default(0) });

/**
 * The control API that every stand-in has beside its own, under `/_local/`, which the service that is stood in for
 * does not have. These calls are never counted and never faulted.
 *
 *     GET    /_local/calls           { "GET /jobs/:jobId/tasks": 12, … }   calls by method and route since the last
 *                                    reset; ?client=NAME counts those whose User-Agent names it
 *     DELETE /_local/calls           start counting anew
 *     GET    /_local/faults          the rules in force, each with the calls it has `seen` and `bitten`
 *     PUT    /_local/faults          replace them (an array of rules; [] ends all misbehaviour)
 *     GET    /_local/faults/presets  rules by name
 *     GET    /_local/faults/bites    what was done to whom, oldest first; ?after=N: those after number N
 */
export function addFaultRoutes(server: FastifyInstance, faults: Faults): void {
  server.get('/_local/faults', async () => faults.list());
  server.put('/_local/faults', async (request, reply) => {
    try {
      faults.replace(request.body);
    } catch (error) {
      if (error instanceof z.ZodError) return reply.code(400).send({ error: z.prettifyError(error) });
      throw error;
    }
    return reply.code(204).send();
  });
  server.get('/_local/faults/presets', async () =>
    Object.fromEntries(
      Object.entries(faults.presets).map(([name, { about, rule }]) => [name, { about, ...rule }]),
    ),
  );
  server.get('/_local/faults/bites', async (request, reply) => {
    const query = BitesQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send({ error: z.prettifyError(query.error) });
    return faults.bites(query.data.after);
  });
}

/** The part of it that counts. */
export function addCallRoutes(server: FastifyInstance, counts: Pick<CallCounts, 'by' | 'reset'>): void {
  server.get<{ Querystring: { client?: string } }>('/_local/calls', async ({ query: { client = '' } }) =>
    counts.by(client),
  );
  server.delete('/_local/calls', async (_request, reply) => {
    counts.reset();
    return reply.code(204).send();
  });
}
