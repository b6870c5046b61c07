import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';

/** A time as the stand-ins and the product tell it, in milliseconds since the epoch: they share the machine's clock. */
const Time = z.iso.datetime().transform(text => Date.parse(text));

const Run = z.object({
  runId: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  startedAt: Time.nullable(),
  request: z.object({
    status: z.number().nullable(),
    requestId: z.string().nullable(),
    error: z.string().nullable(),
    answeredAt: Time.nullable(),
    completions: z.array(z.object({ result: z.string(), accepted: z.boolean(), at: Time })),
  }),
  job: z.object({ agentName: z.string().nullable(), result: z.string().nullable() }).nullable(),
  finishedAt: Time.nullable(),
});
export type Run = z.infer<typeof Run>;

const Agent = z.object({
  name: z.string(),
  registeredAt: Time,
  removedAt: Time.optional(),
  sessions: z.array(z.object({ openedAt: Time })),
});
export type Agent = z.infer<typeof Agent>;

const Task = z.object({
  task: z.string(),
  addedAt: Time,
  starts: z.number(),
  removedAt: Time.optional(),
});
export type Task = z.infer<typeof Task>;

const Request = z.object({
  requestId: z.string(),
  state: z.string(),
  attempt: z.number(),
  createdAt: Time,
  endedAt: Time.nullable(),
});
export type Request = z.infer<typeof Request>;
const RequestPage = z.object({ requests: z.array(Request), continuation: z.string().nullable() });

/** What the stand-ins saw, whatever the app says of it. */
export interface Seen {
  readonly runs: readonly Run[];
  readonly agents: readonly Agent[];
  readonly tasks: readonly Task[];
}

/** @param runIds those that count */
export async function readSeen(stack: Stack, runIds: readonly string[]): Promise<Seen> {
  const wanted = new Set(runIds);
  const runs = await get(`${stack.url('devops')}/_local/runs`, z.array(Run));
  return {
    runs: runs.filter(({ runId }) => wanted.has(runId)),
    agents: await get(`${stack.url('devops')}/_local/agents`, z.array(Agent)),
    tasks: await get(`${stack.url('batch')}/_local/tasks`, z.array(Task)),
  };
}

/** Every request, as our app shows it. */
export async function readRequests(stack: Stack): Promise<readonly Request[]> {
  const requests: Request[] = [];
  let continuation: string | null = '';
  while (continuation !== null) {
    const query = new URLSearchParams({ top: '200', ...(continuation && { continuation }) });
    const page: z.infer<typeof RequestPage> = await get(
      `${stack.url('host')}/api/agents?${query.toString()}`,
      RequestPage,
      { 'x-functions-key': stack.functionKey },
    );
    requests.push(...page.requests);
    continuation = page.continuation;
  }
  return requests;
}

async function get<T>(
  url: string,
  schema: z.ZodType<T>,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return schema.parse(await response.json());
}
