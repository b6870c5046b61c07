import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';
import { waitFor } from '../../support/wait-for.js';

const HistoryEntry = z.strictObject({
  state: z.string(),
  at: z.iso.datetime(),
  attempt: z.number(),
  detail: z.string(),
});

/** A request as the contract shows it: strict, so that a field too many or too few fails. */
export const Shown = z.strictObject({
  requestId: z.string(),
  profile: z.string(),
  state: z.string(),
  attempt: z.number(),
  agentName: z.string().nullable(),
  devOpsPool: z.string(),
  batch: z.strictObject({ poolId: z.string(), jobId: z.string(), taskId: z.string() }).nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  onlineAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  timings: z.strictObject({
    queuedMs: z.number().nullable(),
    provisioningMs: z.number().nullable(),
    startingMs: z.number().nullable(),
    toOnlineMs: z.number().nullable(),
  }),
  failure: z
    .strictObject({ code: z.string(), stage: z.string(), message: z.string(), retryable: z.boolean() })
    .nullable(),
  history: z.array(HistoryEntry),
  tags: z.record(z.string(), z.string()),
  links: z.strictObject({ self: z.string(), pipeline: z.string().nullable(), help: z.string().nullable() }),
});
export type Shown = z.infer<typeof Shown>;

const List = z.strictObject({ requests: z.array(Shown), continuation: z.string().nullable() });

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export interface Asked extends Answer {
  readonly request: Shown;
}

export interface AgentsApi {
  /** Any call under `/api`, with the function key unless `headers` has another. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** @throws unless the answer is a request. */
  ask(body: object, headers?: Record<string, string>): Promise<Asked>;
  get(requestId: string): Promise<Shown>;
  list(query?: string): Promise<z.infer<typeof List>>;
  cancel(requestId: string): Promise<Answer>;
  /** Waits until the request is in one of these states. */
  until(requestId: string, states: string | readonly string[], timeoutMs?: number): Promise<Shown>;
  /** Waits for the request's end. */
  end(requestId: string, timeoutMs?: number): Promise<Shown>;
}

const ends = ['completed', 'expired', 'cancelled', 'deadLettered'];

/** The HTTP API as a user calls it. */
export function agentsApi(stack: Stack): AgentsApi {
  const call: AgentsApi['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${stack.url('host')}/api${path}`, {
      method,
      headers: {
        'x-functions-key': stack.functionKey,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    const json: unknown = isJson ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, text, json };
  };

  const until: AgentsApi['until'] = async (requestId, states, timeoutMs = 20_000) => {
    const wanted = [states].flat();
    let last: Shown | undefined;
    try {
      return await waitFor(
        `request ${requestId} to be ${wanted.join(' or ')}`,
        async () => {
          last = await get(requestId);
          return wanted.includes(last.state) && last;
        },
        { timeoutMs, everyMs: 50 },
      );
    } catch (error) {
      const story = last?.history.map(({ state, at, detail }) => `${at} ${state}: ${detail}`).join('\n');
      throw new Error(
        `${String(error)}\n${story ?? 'It was never seen.'}\nThe host's last words:\n${lastWords(stack.output('host'))}`,
        { cause: error },
      );
    }
  };

  const get = async (requestId: string): Promise<Shown> =>
    Shown.parse((await call('GET', `/agents/${requestId}`)).json);

  return {
    call,
    get,
    until,
    end: (requestId, timeoutMs) => until(requestId, ends, timeoutMs),
    ask: async (body, headers) => {
      const answer = await call('POST', '/agents', body, headers);
      const request = Shown.safeParse(answer.json);
      if (!request.success) throw new Error(`It was answered ${answer.status}: ${answer.text}`);
      return { ...answer, request: request.data };
    },
    list: async (query = '') => List.parse((await call('GET', `/agents${query}`)).json),
    cancel: requestId => call('DELETE', `/agents/${requestId}`),
  };
}

/** The states of a history in order, each once in a row. */
export const statesOf = ({ history }: Shown): readonly string[] =>
  history.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);

/** Without the lines of our own looking. */
const lastWords = (output: string): string =>
  output
    .split('\n')
    .filter(line => !line.includes('Function.getAgent'))
    .join('\n');
