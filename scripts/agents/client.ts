import * as z from 'zod';
import { CommandError, exitCodes } from './command-error.js';
import type { App } from './find-app.js';

const Failure = z.looseObject({ code: z.string(), stage: z.string(), message: z.string() });
const Shown = z.looseObject({
  requestId: z.string(),
  profile: z.string(),
  state: z.string(),
  attempt: z.number(),
  endedAt: z.string().nullable(),
  failure: Failure.nullable(),
  history: z.array(z.object({ state: z.string(), at: z.string(), attempt: z.number(), detail: z.string() })),
});
const DeadLetter = Shown.extend({ message: z.string().optional(), messageBase64: z.string().optional() });
const Page = z.object({ deadLetters: z.array(Shown), continuation: z.string().nullable() });
const Results = z.object({
  results: z.array(z.object({ requestId: z.string(), outcome: z.string(), detail: z.string() })),
});
const Problem = z.looseObject({ code: z.string(), detail: z.string() });

/** A request as the app shows it; what is not read here is passed on in `--json`. */
export type ShownRequest = z.infer<typeof Shown>;
export type ShownDeadLetter = z.infer<typeof DeadLetter>;
export type Result = z.infer<typeof Results>['results'][number];

export interface DeadLetterFilter {
  readonly code?: string | undefined;
  readonly profile?: string | undefined;
}

/** The app's HTTP API. Every method throws a CommandError that says what to do. */
export interface AgentsClient {
  /** Dead letters, the newest first, page after page. */
  deadLetters(filter: DeadLetterFilter): AsyncGenerator<ShownRequest>;
  deadLetter(requestId: string): Promise<ShownDeadLetter>;
  /** At most 200 ids. */
  redrive(requestIds: readonly string[], dryRun: boolean): Promise<readonly Result[]>;
  /** At most 200 ids. */
  purge(requestIds: readonly string[]): Promise<readonly Result[]>;
}

/** The app looks through a whole queue when it redrives. */
const patienceMs = 120_000;

export function createClient({ apiUrl, key }: App): AgentsClient {
  async function call<T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${apiUrl}${path}`, {
        method,
        headers: {
          'x-functions-key': key,
          accept: 'application/json',
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        // The key is for this app, not for where it might send us.
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw new CommandError(exitCodes.noApp, `${apiUrl} can not be reached: ${reasonOf(error)}.`);
    }
    const answer = parse(text);
    const read = status === 200 ? schema.safeParse(answer) : undefined;
    if (read?.success) return read.data;
    throw refusal(apiUrl, status, answer);
  }

  return {
    async *deadLetters({ code, profile }) {
      let continuation: string | null = null;
      do {
        const query = new URLSearchParams({ top: '200' });
        if (code !== undefined) query.set('code', code);
        if (profile !== undefined) query.set('profile', profile);
        if (continuation !== null) query.set('continuation', continuation);
        const page: z.infer<typeof Page> = await call('GET', `/deadletters?${query.toString()}`, Page);
        yield* page.deadLetters;
        ({ continuation } = page);
      } while (continuation !== null);
    },
    deadLetter: requestId => call('GET', `/deadletters/${encodeURIComponent(requestId)}`, DeadLetter),
    redrive: async (requestIds, dryRun) =>
      (await call('POST', '/deadletters/redrive', Results, { requestIds, dryRun })).results,
    purge: async requestIds => (await call('POST', '/deadletters/purge', Results, { requestIds })).results,
  };
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Our app says what is wrong; anything else that answers is another program, or something in between. */
function refusal(apiUrl: string, status: number, answer: unknown): CommandError {
  if (status === 401 || status === 403) {
    return new CommandError(
      exitCodes.noApp,
      `${apiUrl} does not accept the key (${status}): check AGENTS_KEY, or the firewall in front of the app.`,
    );
  }
  const problem = Problem.safeParse(answer).data;
  if (!problem) {
    return new CommandError(
      exitCodes.noApp,
      `${apiUrl} answered ${status} in a way that this app does not: check the URL and the version of the app.`,
    );
  }
  const exitCode = status === 400 || status === 413 ? exitCodes.usage : exitCodes.failed;
  return new CommandError(status >= 500 ? exitCodes.noApp : exitCode, problem.detail);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${patienceMs / 1_000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause ? String(cause.code) : cause.message;
}
