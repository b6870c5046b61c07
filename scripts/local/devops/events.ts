import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { isFaulted } from '../calls.js';
import { badRequest } from './errors.js';
import { findPlan, type PlanParams, planPath } from './plans.js';
import type { Runs } from './runs.js';
import type { ServerJobs } from './server-jobs.js';
import type { State } from './state.js';
import { decode, wireEnum } from './wire.js';

const PlanEvent = z.object({ name: z.string() });
const TaskCompleted = z.object({
  taskId: z.guid(),
  jobId: z.guid(),
  result: wireEnum({ succeeded: 0, succeededWithIssues: 1, failed: 2, canceled: 3 }),
});

/** Events that an agent or a function may also send, and that change nothing here. */
const withoutEffect = ['taskassigned', 'taskstarted', 'jobassigned', 'jobstarted', 'jobcompleted'];

/** How the function of a server task says that the task is done. */
export function addEventRoutes(
  server: FastifyInstance,
  state: State,
  runs: Runs,
  serverJobs: ServerJobs,
): void {
  server.post<{ Params: PlanParams }>(`${planPath}/events`, async (request, reply) => {
    const run = findPlan(state, request.params);
    const { name } = decode(PlanEvent, request.body, 'The event');
    if (withoutEffect.includes(name.toLowerCase())) return reply.code(204).send();
    if (name.toLowerCase() !== 'taskcompleted') throw badRequest(`${name} is not an event of a plan.`);
    const event = decode(TaskCompleted, request.body, 'The event TaskCompleted');
    const { index, refused } = serverJobs.complete(run.runId, {
      taskId: event.taskId.toLowerCase(),
      jobId: event.jobId.toLowerCase(),
      result: event.result,
    });
    reply.raw.once('close', () =>
      runs.completionAnswered(run.runId, index, reply.raw.writableFinished && !isFaulted(request)),
    );
    if (refused) throw refused;
    return reply.code(204).send();
  });
}
