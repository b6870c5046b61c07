import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { FunctionAnswer } from './azure-function-task.js';
import { parseDemand } from './demands.js';
import { ControlError } from './errors.js';
import { type RunState, runState } from './job-graph.js';
import type { JobDefinition } from './jobs.js';
import { firstServerJob, type RunViews } from './run-view.js';
import type { Runs } from './runs.js';
import type { ServerJobs } from './server-jobs.js';

const minutes = z
  .number()
  .positive()
  .max(72 * 60);

const FunctionUrl = z
  .url({ protocol: /^https?$/ })
  .refine(url => !url.includes('?') && !url.includes('#'), 'must have no query: the task adds its own');

const Demand = z.string().superRefine((text, context) => {
  try {
    parseDemand(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

/** A pipeline to play, in the words of its YAML. */
const NewRun = z.strictObject({
  name: z.string().min(1).max(100).optional(),
  request: z.strictObject({
    function: FunctionUrl,
    key: z.string(),
    method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']).default('POST'),
    queryParameters: z.string().default(''),
    headers: z
      .record(z.string(), z.string())
      .refine(headers => JSON.stringify(headers).length <= 5000, 'must be at most 5000 characters as JSON')
      .optional(),
    body: z.string().max(2000).default(''),
    waitForCompletion: z.boolean().default(true),
    timeoutMinutes: minutes.default(60),
  }),
  job: z
    .strictObject({
      pool: z.string().min(1),
      demands: z.array(Demand).default([]),
      // None: a job that is over as soon as an agent has it, for those who play thousands.
      steps: z.array(
        z.strictObject({ displayName: z.string().min(1).default('CmdLine'), script: z.string() }),
      ),
      timeoutMinutes: minutes.default(60),
    })
    .nullable(),
  attempt: z.int().min(1).default(1),
  authToken: z.string().min(1).optional(),
});

const Retry = z.strictObject({ sameIds: z.boolean().default(false) });
const ShowQuery = z.strictObject({ wait: z.coerce.number().min(0).max(600).default(0) });

interface RunParams {
  readonly Params: { readonly runId: string };
}

const serverJobName = 'RequestAzDOAgent';
const agentJobName = 'RunWithEphemeralAgent';

/** A server job with one AzureFunction@1 task and, unless there is none, a job on an agent that depends on it. */
function twoJobs({ request, job }: z.infer<typeof NewRun>): JobDefinition[] {
  const common = { condition: 'succeeded', variables: {} } as const;
  const { timeoutMinutes, ...task } = request;
  const serverJob: JobDefinition = {
    ...common,
    name: serverJobName,
    displayName: serverJobName,
    dependsOn: [],
    timeoutMinutes,
    work: { kind: 'server', displayName: 'AzureFunction', task: { kind: 'function', ...task } },
  };
  if (!job) return [serverJob];
  const { timeoutMinutes: jobMinutes, ...work } = job;
  const agentJob: JobDefinition = {
    ...common,
    name: agentJobName,
    displayName: agentJobName,
    dependsOn: [serverJobName],
    timeoutMinutes: jobMinutes,
    work: { kind: 'agent', ...work },
  };
  return [serverJob, agentJob];
}

/** The control API of the player: what a person does in the web pages of the service. */
export function addRunRoutes(
  server: FastifyInstance,
  runs: Runs,
  serverJobs: ServerJobs,
  { view, viewWithLog }: RunViews,
): void {
  server.post('/_local/runs', async (request, reply) => {
    const definition = control(NewRun, request.body);
    const { name, attempt, authToken } = definition;
    const run = runs.start({ name, attempt, authToken, jobs: twoJobs(definition) });
    return reply.code(201).send(view(run));
  });
  server.get('/_local/runs', async () => runs.all().map(view));

  // For those who wait for many: a view of each run would keep this service from its work.
  server.get('/_local/run-states', async () => {
    const counts: Partial<Record<RunState, number>> = {};
    for (const run of runs.all()) {
      const state = runState(run, run.state === 'completed' ? [] : runs.jobsOf(run.runId));
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  });

  server.get('/_local/completions', async () =>
    runs.all().flatMap(({ runId, planId, completions }) => {
      const taskInstanceId = firstServerJob(runs.jobsOf(runId))?.taskIds[0] ?? null;
      return completions.map(completion => ({ runId, planId, taskInstanceId, ...completion }));
    }),
  );

  server.get<RunParams>('/_local/runs/:runId', async (request, reply) => {
    const { wait } = control(ShowQuery, request.query);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort('gone'));
    return viewWithLog(await runs.untilEnd(request.params.runId, wait * 1000, gone.signal));
  });

  server.post<RunParams>('/_local/runs/:runId/cancel', async request =>
    viewWithLog(runs.cancel(request.params.runId)),
  );
  const redeliver = async (runId: string): Promise<FunctionAnswer> =>
    serverJobs.redeliver(runs.get(runId).runId);
  server.post<RunParams>('/_local/runs/:runId/redeliver', async request => {
    const { status, body } = await redeliver(request.params.runId);
    return { status, body };
  });
  server.post<RunParams>('/_local/runs/:runId/retry', async (request, reply) => {
    const { sameIds } = control(Retry, request.body ?? {});
    return reply.code(201).send(view(runs.retry(request.params.runId, sameIds)));
  });
}

/** @throws {ControlError} 400 with everything that is wrong. */
export function control<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ControlError(400, z.prettifyError(parsed.error));
  return parsed.data;
}
