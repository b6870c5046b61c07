import type { FastifyInstance } from 'fastify';

import type { Engine } from './engine.js';
import { jobs } from './entities.js';
import { answer, checkConditions, type JobRoute, pathOf } from './http.js';
import { DisableJob, decode, JobPatch, JobSpec, TerminateJob } from './model.js';
import { listPage, type Query, single } from './odata-list.js';
import { jobView } from './views.js';

export function jobRoutes(server: FastifyInstance, engine: Engine): void {
  server.post('/jobs', async (request, reply) => {
    const job = engine.addJob(decode(JobSpec, request.body));
    reply.header('Location', `${engine.url}/jobs/${job.record.spec.id}`);
    return answer(reply, 201, job.record);
  });

  server.get<{ Querystring: Query }>('/jobs', async (request, reply) => {
    const items = [...engine.store.jobs.values()].map(({ record }, order) => ({
      order,
      view: () => jobView(record, engine.url),
    }));
    return answer(reply, 200, undefined, listPage(jobs, items, request.query, engine.url, pathOf(request)));
  });

  server.get<JobRoute>('/jobs/:jobId', async (request, reply) => {
    const { record } = engine.job(request.params.jobId);
    return answer(reply, 200, record, single(jobs, jobView(record, engine.url), request.query, engine.url));
  });

  server.patch<JobRoute>('/jobs/:jobId', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    checkConditions(request, job.record);
    engine.patchJob(job, decode(JobPatch, request.body));
    return answer(reply, 200, job.record);
  });

  server.post<JobRoute>('/jobs/:jobId/disable', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    checkConditions(request, job.record);
    engine.disableJob(job, decode(DisableJob, request.body).disableTasks);
    return answer(reply, 202, job.record);
  });

  server.post<JobRoute>('/jobs/:jobId/enable', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    checkConditions(request, job.record);
    engine.enableJob(job);
    return answer(reply, 202, job.record);
  });

  server.post<JobRoute>('/jobs/:jobId/terminate', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    checkConditions(request, job.record);
    engine.terminateJob(job, decode(TerminateJob, request.body)?.terminateReason);
    return answer(reply, 202, job.record);
  });

  server.delete<JobRoute>('/jobs/:jobId', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    checkConditions(request, job.record);
    engine.deleteJob(job);
    return answer(reply, 202, undefined);
  });

  server.get<JobRoute>('/jobs/:jobId/taskcounts', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    const tasks = { active: 0, running: 0, completed: 0, succeeded: 0, failed: 0 };
    const slots = { ...tasks };
    for (const { state, result, spec } of job.tasks.values()) {
      const counted = state === 'preparing' ? 'running' : state;
      const required = spec.requiredSlots ?? 1;
      tasks[counted] += 1;
      slots[counted] += required;
      if (state !== 'completed') continue;
      const outcome = result === 'success' ? 'succeeded' : 'failed';
      tasks[outcome] += 1;
      slots[outcome] += required;
    }
    return answer(reply, 200, undefined, {
      'odata.metadata': `${engine.url}/$metadata#taskcountsresult/@Element`,
      taskCounts: tasks,
      taskSlotCounts: slots,
    });
  });
}
