import * as z from 'zod';
import { type Diagnosis, diagnosisSchema } from '../../shared/answers/diagnosis.js';
import {
  type PlaceholderResults,
  type Placeholders,
  placeholderResultsSchema,
  placeholdersSchema,
} from '../../shared/answers/placeholders.js';
import { type Pools, poolsSchema } from '../../shared/answers/pools.js';
import {
  type Events,
  eventsSchema,
  requestPageSchema,
  shownRequestSchema,
} from '../../shared/answers/request.js';
import type { App } from './find-app.js';
import { type Answer, createCall } from './http.js';

const DeadLetter = shownRequestSchema.extend({
  message: z.string().optional(),
  messageBase64: z.string().optional(),
});
const DeadLetters = z.object({
  deadLetters: z.array(shownRequestSchema),
  continuation: z.string().nullable(),
});
const Results = z.object({
  results: z.array(z.object({ requestId: z.string(), outcome: z.string(), detail: z.string() })),
});

export type ShownRequest = z.infer<typeof shownRequestSchema>;
export type ShownDeadLetter = z.infer<typeof DeadLetter>;
export type Result = z.infer<typeof Results>['results'][number];

export interface DeadLetterFilter {
  readonly code?: string | undefined;
  readonly profile?: string | undefined;
}

export interface RequestFilter {
  readonly state?: string | undefined;
  readonly profile?: string | undefined;
  /** `NAME=VALUE` */
  readonly tag?: string | undefined;
}

/** The app's HTTP API. Every method throws a CommandError that says what to do. */
export interface AgentsClient {
  ask(body: object): Promise<Answer<ShownRequest>>;
  /** @param waitSeconds at most 25; answers early when the state changes. */
  request(requestId: string, waitSeconds?: number): Promise<ShownRequest>;
  /** The newest first, page after page. */
  requests(filter: RequestFilter): AsyncGenerator<ShownRequest>;
  cancel(requestId: string): Promise<ShownRequest>;
  pools(): Promise<Pools>;
  /** @param after where the events before ended; undefined: begin now. */
  events(after: string | undefined, waitSeconds: number): Promise<Events>;
  placeholders(): Promise<Placeholders>;
  /** Without pools: all that profiles name. */
  changePlaceholders(
    action: 'ensure' | 'remove',
    devOpsPools: readonly string[],
  ): Promise<PlaceholderResults>;
  diagnosis(): Promise<Diagnosis>;
  /** Dead letters, the newest first, page after page. */
  deadLetters(filter: DeadLetterFilter): AsyncGenerator<ShownRequest>;
  deadLetter(requestId: string): Promise<ShownDeadLetter>;
  /** At most 200 ids. */
  redrive(requestIds: readonly string[], dryRun: boolean): Promise<readonly Result[]>;
  /** At most 200 ids. */
  purge(requestIds: readonly string[]): Promise<readonly Result[]>;
}

/** The app looks through a whole queue when it redrives, and calls three services when it examines itself. */
const patienceMs = 120_000;
const pageSize = '200';

export function createClient(find: () => Promise<App>): AgentsClient {
  const call = createCall(find);

  /** @returns the items of a list, page after page. */
  async function* all<P extends { readonly continuation: string | null }, T>(
    path: string,
    filter: Readonly<Record<string, string | undefined>>,
    schema: z.ZodType<P>,
    itemsOf: (page: P) => readonly T[],
  ): AsyncGenerator<T> {
    let continuation: string | null = null;
    do {
      const query = queryOf({ top: pageSize, ...filter, continuation: continuation ?? undefined });
      const { value: page }: { readonly value: P } = await call('GET', `${path}${query}`, { schema });
      yield* itemsOf(page);
      ({ continuation } = page);
    } while (continuation !== null);
  }

  return {
    ask: async body => call('POST', '/agents', { schema: shownRequestSchema, body }),
    request: async (requestId, waitSeconds) => {
      const path = `/agents/${encodeURIComponent(requestId)}${queryOf({ wait: waitSeconds?.toString() })}`;
      return (await call('GET', path, { schema: shownRequestSchema })).value;
    },
    requests: ({ state, profile, tag }) =>
      all('/agents', { state, profile, tag }, requestPageSchema, ({ requests }) => requests),
    cancel: async requestId =>
      (await call('DELETE', `/agents/${encodeURIComponent(requestId)}`, { schema: shownRequestSchema }))
        .value,
    pools: async () => (await call('GET', '/pools', { schema: poolsSchema })).value,
    events: async (after, waitSeconds) =>
      (await call('GET', `/events${queryOf({ after, wait: String(waitSeconds) })}`, { schema: eventsSchema }))
        .value,
    placeholders: async () => (await call('GET', '/placeholders', { schema: placeholdersSchema })).value,
    changePlaceholders: async (action, devOpsPools) => {
      const body = devOpsPools.length > 0 ? { devOpsPools } : {};
      const schema = placeholderResultsSchema;
      return (await call('POST', `/placeholders/${action}`, { schema, body, patienceMs })).value;
    },
    diagnosis: async () =>
      (await call('POST', '/diagnosis', { schema: diagnosisSchema, body: {}, patienceMs })).value,
    deadLetters: ({ code, profile }) =>
      all('/deadletters', { code, profile }, DeadLetters, ({ deadLetters }) => deadLetters),
    deadLetter: async requestId =>
      (await call('GET', `/deadletters/${encodeURIComponent(requestId)}`, { schema: DeadLetter })).value,
    redrive: async (requestIds, dryRun) => {
      const body = { requestIds, dryRun };
      return (await call('POST', '/deadletters/redrive', { schema: Results, body, patienceMs })).value
        .results;
    },
    purge: async requestIds => {
      const body = { requestIds };
      return (await call('POST', '/deadletters/purge', { schema: Results, body, patienceMs })).value.results;
    },
  };
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size > 0 ? `?${query.toString()}` : '';
}
