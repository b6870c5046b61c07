import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';
import { waitFor } from '../../support/wait-for.js';
import { pools } from './world.js';

const Run = z.looseObject({
  runId: z.string(),
  name: z.string(),
  buildId: z.number(),
  state: z.string(),
  result: z.string().nullable(),
  projectId: z.string(),
  planId: z.string(),
  timelineId: z.string(),
  jobId: z.string(),
  taskInstanceId: z.string(),
  request: z.looseObject({
    status: z.number().nullable(),
    requestId: z.string().nullable(),
    response: z.string().nullable(),
    error: z.string().nullable(),
    completions: z.array(z.object({ result: z.string(), at: z.string(), accepted: z.boolean() })),
  }),
  job: z
    .looseObject({ agentName: z.string().nullable(), state: z.string(), result: z.string().nullable() })
    .nullable(),
  variables: z.record(z.string(), z.string().nullable()),
  issues: z.array(z.looseObject({ type: z.string(), message: z.string() })),
});
export type Run = z.infer<typeof Run>;
const RunWithLog = Run.extend({ log: z.array(z.string()) });
export type RunWithLog = z.infer<typeof RunWithLog>;
const Redelivered = z.object({ status: z.number(), body: z.string() });

export interface PipelineOptions {
  readonly route?: string;
  readonly body?: object;
  readonly waitForCompletion?: boolean;
  readonly pool?: string;
  /** Null: the pipeline has no job on an agent. */
  readonly script?: string | null;
  readonly demands?: readonly string[];
  readonly authToken?: string;
  readonly attempt?: number;
}

export interface Pipelines {
  /** Starts a pipeline whose server job asks for an agent and whose next job runs on it. */
  start(options?: PipelineOptions): Promise<Run>;
  get(runId: string): Promise<RunWithLog>;
  /** Waits for the function's answer and gives the id of the request. */
  requestId(runId: string): Promise<string>;
  /** Waits for the end of the run. */
  end(runId: string, timeoutMs?: number): Promise<RunWithLog>;
  /** Sends the very same call again. */
  redeliver(runId: string): Promise<z.infer<typeof Redelivered>>;
  retry(runId: string, sameIds: boolean): Promise<Run>;
  cancel(runId: string): Promise<void>;
}

/** The player of pipelines: what a person does in the web pages of Azure DevOps. */
export function pipelinesOf(stack: Stack): Pipelines {
  const call = async <T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> => {
    const response = await fetch(`${stack.url('devops')}/_local/runs${path}`, {
      method,
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return schema.parse(JSON.parse(text));
  };
  const get = async (runId: string): Promise<RunWithLog> => call('GET', `/${runId}`, RunWithLog);

  return {
    get,
    start: async (options = {}) => {
      const demand = 'TEST_BUILD -equals $(Build.BuildId)';
      return call('POST', '', Run, {
        request: {
          function: `${stack.url('host')}${options.route ?? '/api/agents'}`,
          key: stack.functionKey,
          body: JSON.stringify(options.body ?? { capabilities: { TEST_BUILD: '$(Build.BuildId)' } }),
          waitForCompletion: options.waitForCompletion ?? true,
        },
        job:
          options.script === null
            ? null
            : {
                pool: options.pool ?? pools.ubuntu,
                demands: options.demands ?? [demand],
                steps: [{ displayName: 'Build', script: options.script ?? 'echo "built on $AZDO_AGENT"' }],
              },
        ...(options.authToken === undefined ? {} : { authToken: options.authToken }),
        ...(options.attempt === undefined ? {} : { attempt: options.attempt }),
      });
    },
    requestId: runId =>
      waitFor(
        `the answer to ${runId}`,
        async () => {
          const { request } = await get(runId);
          if (request.status !== null && request.status >= 300) {
            throw new Error(`The function answered ${request.status}: ${request.response ?? ''}`);
          }
          return request.requestId;
        },
        { everyMs: 5 },
      ),
    end: async (runId, timeoutMs = 30_000) => {
      const run = await call('GET', `/${runId}?wait=${timeoutMs / 1_000}`, RunWithLog);
      if (run.state !== 'completed') {
        throw new Error(`${runId} is still ${run.state} after ${timeoutMs} ms:\n${run.log.join('\n')}`);
      }
      return run;
    },
    redeliver: runId => call('POST', `/${runId}/redeliver`, Redelivered),
    retry: (runId, sameIds) => call('POST', `/${runId}/retry`, Run, { sameIds }),
    cancel: async runId => {
      await call('POST', `/${runId}/cancel`, z.unknown());
    },
  };
}

/** Completions of the server task: how often the pipeline took one, and what it was told. */
export const accepted = ({ request }: Run): readonly string[] =>
  request.completions.filter(completion => completion.accepted).map(({ result }) => result);
