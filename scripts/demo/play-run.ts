import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import type { DemoPipeline } from './pipelines.js';

const requestSchema = z.looseObject({
  requestId: z.string(),
  profile: z.string(),
  state: z.string(),
  agentName: z.string().nullable(),
  timings: z.looseObject({ toOnlineMs: z.number().nullable() }),
  history: z.array(z.object({ state: z.string(), at: z.string(), attempt: z.number(), detail: z.string() })),
});
export type ShownRequest = z.infer<typeof requestSchema>;

const runSchema = z.looseObject({
  runId: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  request: z.looseObject({
    status: z.number().nullable(),
    requestId: z.string().nullable(),
    response: z.unknown().optional(),
    error: z.unknown().optional(),
  }),
  job: z.looseObject({ agentName: z.string().nullable(), result: z.string().nullable() }).nullable(),
  log: z.array(z.string()).optional(),
});
type Run = z.infer<typeof runSchema>;

export interface PlayedRun {
  readonly name: string;
  readonly result: string;
  readonly jobResult: string;
  readonly jobAgent: string;
  readonly request: ShownRequest;
  readonly log: readonly string[];
}

/** Longest that a run of the demo may take. */
const patienceMs = 120_000;
const ends = new Set(['completed', 'expired', 'cancelled', 'deadLettered']);

/**
 * Starts a pipeline and follows its run and its request to their ends.
 *
 * @param tell gets a line for every change, as it happens.
 */
export async function playRun(
  stack: Stack,
  pipeline: DemoPipeline,
  signal: AbortSignal,
  tell: (name: string, line: string) => void,
): Promise<PlayedRun> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const get = async <T>(url: string, schema: z.ZodType<T>, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(url, { ...init, signal: within });
    if (!response.ok)
      throw new Error(`${new URL(url).pathname} answered ${response.status}: ${await response.text()}`);
    return schema.parse(await response.json());
  };
  const runs = `${stack.url('devops')}/_local/runs`;
  const run = await get(runs, runSchema, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: pipeline.name,
      request: {
        function: `${stack.url('host')}${pipeline.route}`,
        key: stack.functionKey,
        body: pipeline.body,
        waitForCompletion: pipeline.waitForCompletion,
      },
      job: { pool: pipeline.pool, demands: pipeline.demands, steps: pipeline.steps },
    }),
  });
  tell(pipeline.name, `the pipeline runs; its first job asks ${pipeline.route}`);

  const requestId = await askedFor(async () => get(`${runs}/${run.runId}`, runSchema), pipeline.name);
  const request = await followRequest(requestId);
  const over = await get(`${runs}/${run.runId}?wait=${patienceMs / 1_000}`, runSchema);
  tell(pipeline.name, `the pipeline has ${over.result ?? 'not ended'}`);
  return {
    name: pipeline.name,
    result: over.result ?? 'unfinished',
    jobResult: over.job?.result ?? 'not run',
    jobAgent: over.job?.agentName ?? 'none',
    request,
    log: over.log ?? [],
  };

  async function followRequest(id: string): Promise<ShownRequest> {
    let told = 0;
    for (;;) {
      const shown = await get(
        `${stack.url('host')}/api/agents/${id}?wait=${told === 0 ? 0 : 20}`,
        requestSchema,
        {
          headers: { 'x-functions-key': stack.functionKey },
        },
      );
      for (const { state, detail } of shown.history.slice(told)) {
        tell(pipeline.name, `${state.padEnd(12)} ${detail}`);
      }
      told = shown.history.length;
      if (ends.has(shown.state)) return shown;
    }
  }
}

/** The run's view tells the request's id once the function has answered. */
async function askedFor(look: () => Promise<Run>, name: string): Promise<string> {
  for (;;) {
    const { request, state } = await look();
    if (request.requestId) return request.requestId;
    if (request.status !== null && request.status >= 300) {
      throw new Error(
        `The call of ${name} was answered with ${request.status}: ${JSON.stringify(request.response)}`,
      );
    }
    if (state === 'completed') throw new Error(`The run of ${name} ended before it had asked for an agent.`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
