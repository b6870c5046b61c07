import type { FastifyInstance } from 'fastify';
import { givenKey } from './http.js';
import { createKeyCheck } from './keys.js';
import type { TimerListener } from './timer-trigger.js';

export interface AdminApiOptions {
  readonly server: FastifyInstance;
  readonly masterKey: string;
  readonly timers: () => readonly TimerListener[];
}

/** `POST /admin/functions/{name}` with the master key, as on Azure: runs a timer's function now. */
export function addAdminApi({ server, masterKey, timers }: AdminApiOptions): void {
  const opens = createKeyCheck([masterKey]);
  server.post<{ Params: { name: string } }>('/admin/functions/:name', async (request, reply) => {
    if (!opens(givenKey(request))) return reply.code(401).send();
    const wanted = request.params.name.toLowerCase();
    const timer = timers().find(({ functionName }) => functionName.toLowerCase() === wanted);
    if (!timer) return reply.code(404).send();
    timer.runNow();
    return reply.code(202).send();
  });
}
