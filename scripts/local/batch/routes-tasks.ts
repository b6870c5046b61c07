import type { FastifyInstance } from 'fastify';

import type { Engine } from './engine.js';
import { tasks } from './entities.js';
import { BatchError, errorBody, invalidProperty } from './errors.js';
import { answer, checkConditions, type JobRoute, pathOf, type TaskRoute } from './http.js';
import { decode, TaskCollection, TaskSpec } from './model.js';
import { listPage, single } from './odata-list.js';
import type { TaskRecord } from './records.js';
import type { Job } from './store.js';
import { eTagOf, taskView } from './views.js';

const maxCollection = 100;

export function taskRoutes(server: FastifyInstance, engine: Engine): void {
  const find = ({ jobId, taskId }: TaskRoute['Params']): { job: Job; task: TaskRecord } => {
    const job = engine.job(jobId);
    return { job, task: engine.task(job, taskId) };
  };
  const location = (job: Job, taskId: string): string =>
    `${engine.url}/jobs/${job.record.spec.id}/tasks/${taskId}`;

  server.post<JobRoute>('/jobs/:jobId/tasks', async (request, reply) => {
    const spec = decode(TaskSpec, request.body);
    const job = engine.job(request.params.jobId);
    const task = engine.addTask(job, spec);
    reply.header('Location', location(job, spec.id)).header('DataServiceId', location(job, spec.id));
    return answer(reply, 201, task);
  });

  server.post<JobRoute>('/jobs/:jobId/addtaskcollection', async (request, reply) => {
    const { value } = decode(TaskCollection, request.body);
    if (value.length > maxCollection) {
      throw invalidProperty('value', `A collection holds at most ${maxCollection} tasks.`);
    }
    const job = engine.job(request.params.jobId);
    const results = value.map(spec => {
      try {
        const task = engine.addTask(job, spec);
        return {
          status: 'success',
          taskId: spec.id,
          eTag: eTagOf(task),
          lastModified: task.lastModified,
          location: location(job, spec.id),
        };
      } catch (error) {
        // A job that takes no tasks refuses the whole call; a task that can't be taken, only itself.
        if (!(error instanceof BatchError) || error.code.startsWith('Job')) throw error;
        return { status: 'clienterror', taskId: spec.id, error: errorBody(error) };
      }
    });
    return answer(reply, 200, undefined, {
      'odata.metadata': `${engine.url}/$metadata#taskaddresult`,
      value: results,
    });
  });

  server.get<JobRoute>('/jobs/:jobId/tasks', async (request, reply) => {
    const job = engine.job(request.params.jobId);
    const page = listPage(tasks, inOrder(job, engine.url), request.query, engine.url, pathOf(request));
    return answer(reply, 200, undefined, page);
  });

  server.get<TaskRoute>('/jobs/:jobId/tasks/:taskId', async (request, reply) => {
    const { job, task } = find(request.params);
    const view = taskView(task, job.record, engine.url);
    return answer(reply, 200, task, single(tasks, view, request.query, engine.url));
  });

  server.post<TaskRoute>('/jobs/:jobId/tasks/:taskId/terminate', async (request, reply) => {
    const { job, task } = find(request.params);
    checkConditions(request, task);
    engine.terminateTask(job, task);
    return answer(reply, 204, task);
  });

  server.post<TaskRoute>('/jobs/:jobId/tasks/:taskId/reactivate', async (request, reply) => {
    const { job, task } = find(request.params);
    checkConditions(request, task);
    engine.reactivateTask(job, task);
    return answer(reply, 204, task);
  });

  server.delete<TaskRoute>('/jobs/:jobId/tasks/:taskId', async (request, reply) => {
    const { job, task } = find(request.params);
    checkConditions(request, task);
    engine.deleteTask(job, task);
    return answer(reply, 200, undefined);
  });
}

function* inOrder(job: Job, url: string): Generator<{ order: number; view: () => Record<string, unknown> }> {
  for (const task of job.tasks.values()) {
    yield { order: task.seq, view: () => taskView(task, job.record, url) };
  }
}
