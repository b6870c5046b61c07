import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { parseDemand } from './demands.js';
import { ControlError } from './errors.js';
import type { JobQueue } from './job-requests.js';
import type { RunLog } from './log-view.js';
import type { Runs } from './runs.js';
import type { Run } from './state.js';
import type { Timelines } from './timelines.js';

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

/** The control API of the player: what a person does in the web pages of the service. */
export function addRunRoutes(
  server: FastifyInstance,
  runs: Runs,
  queue: JobQueue,
  timelines: Timelines,
  log: RunLog,
): void {
  const jobView = (run: Run): object | null => {
    if (!run.job) return null;
    const request = run.jobRequestId === undefined ? undefined : queue.get(run.jobRequestId);
    const record = timelines.get(run.runId, run.agentJobId);
    return {
      requestId: request?.id ?? null,
      agentName: request?.agent?.name ?? null,
      state: request ? jobState(request) : record?.state === 'completed' ? 'completed' : 'pending',
      result: request?.result ?? record?.result ?? null,
      queuedAt: request?.queueTime ?? null,
      startedAt: request?.receiveTime ?? null,
      finishedAt: request?.finishTime ?? null,
    };
  };

  const view = (run: Run) => ({
    runId: run.runId,
    name: run.name,
    attempt: run.attempt,
    buildId: run.buildId,
    state: run.state,
    result: run.result ?? null,
    projectId: run.projectId,
    planId: run.planId,
    timelineId: run.timelineId,
    jobId: run.jobId,
    taskInstanceId: run.taskInstanceId,
    request: {
      status: run.answer?.status ?? null,
      requestId: run.answer?.requestId ?? null,
      response: run.answer?.response ?? null,
      error: run.answer?.error ?? null,
      answeredAt: run.answer?.at ?? null,
      completions: run.completions,
    },
    job: jobView(run),
    variables: Object.fromEntries(
      Object.entries(runs.outputs(run)).map(([name, variable]) => [name, variable.value]),
    ),
    issues: timelines.of(run.runId).flatMap(record => record.issues),
    createdAt: run.createdAt,
    startedAt: run.startedAt ?? null,
    finishedAt: run.finishedAt ?? null,
  });
  const viewWithLog = (run: Run) => ({ ...view(run), log: log.of(run.runId) });

  server.post('/_local/runs', async (request, reply) => {
    const run = runs.start(control(NewRun, request.body));
    return reply.code(201).send(view(run));
  });
  server.get('/_local/runs', async () => runs.all().map(view));

  // For those who wait for many: a view of each run would keep this service from its work.
  server.get('/_local/run-states', async () => {
    const counts: Partial<Record<Run['state'], number>> = {};
    for (const { state } of runs.all()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  });

  server.get('/_local/completions', async () =>
    runs
      .all()
      .flatMap(({ runId, planId, taskInstanceId, completions }) =>
        completions.map(completion => ({ runId, planId, taskInstanceId, ...completion })),
      ),
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
  server.post<RunParams>('/_local/runs/:runId/redeliver', async request => {
    const { status, body } = await runs.redeliver(request.params.runId);
    return { status, body };
  });
  server.post<RunParams>('/_local/runs/:runId/retry', async (request, reply) => {
    const { sameIds } = control(Retry, request.body ?? {});
    return reply.code(201).send(view(runs.retry(request.params.runId, sameIds)));
  });
}

function jobState(request: {
  finishTime?: string | undefined;
  receiveTime?: string | undefined;
  agent?: object | undefined;
}): string {
  if (request.finishTime !== undefined) return 'completed';
  if (request.receiveTime !== undefined) return 'running';
  return request.agent ? 'assigned' : 'queued';
}

function control<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ControlError(400, z.prettifyError(parsed.error));
  return parsed.data;
}
