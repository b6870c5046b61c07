import * as z from 'zod';
import { AppAway, type CommandError, exitCodes, KeyRefused, Refused } from './command-error.js';
import type { App } from './find-app.js';
import { readAnswer } from './read-answer.js';

const FieldError = z.object({ in: z.string(), name: z.string(), detail: z.string() });
const Problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  errors: z.array(FieldError).default([]),
});

export interface Wanted<T> {
  readonly schema: z.ZodType<T>;
  readonly body?: object;
  /** How long the answer is waited for. */
  readonly patienceMs?: number;
}

export interface Answer<T> {
  readonly status: number;
  /** What was asked for had been asked for before, and nothing new was begun. */
  readonly replayed: boolean;
  readonly value: T;
}

/** One call of the app's API. It throws a CommandError that says what to do. */
export type Call = <T>(method: string, path: string, wanted: Wanted<T>) => Promise<Answer<T>>;

const usualPatienceMs = 30_000;
const successes = new Set([200, 202]);
const busy = new Set([408, 429, 502, 503, 504]);

/** @param find is asked before each call: an app that has been started anew may be elsewhere. */
export const createCall =
  (find: () => Promise<App>): Call =>
  async (method, path, { schema, body, patienceMs = usualPatienceMs }) => {
    const { apiUrl, key, keyFrom } = await find();
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${apiUrl}${path}`, {
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
      text = await response.text();
    } catch (error) {
      throw new AppAway(
        `${apiUrl} can not be reached (${reasonOf(error, patienceMs)})`,
        'check the URL, and that the app runs.',
      );
    }
    const { status, headers } = response;
    const answer = parse(text);
    const value = successes.has(status) ? readAnswer(schema, answer) : undefined;
    if (value === undefined) throw refusal({ apiUrl, keyFrom }, status, answer);
    return { status, replayed: headers.has('idempotent-replay'), value };
  };

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Our app says what is wrong; anything else that answers is another program, or something in between. */
function refusal(
  { apiUrl, keyFrom }: Pick<App, 'apiUrl' | 'keyFrom'>,
  status: number,
  answer: unknown,
): CommandError {
  if (status === 401 || status === 403) {
    return new KeyRefused(
      `${apiUrl} does not accept the key (${status})`,
      `check ${keyFrom}, or the firewall in front of the app.`,
    );
  }
  const problem = Problem.safeParse(answer).data;
  if (!problem && busy.has(status)) {
    // What stands before the app, or its host, says so while it starts or has too much to do.
    return new AppAway(
      `${apiUrl} is not available (${status})`,
      'try again in a while, and see whether the app runs.',
    );
  }
  if (!problem) {
    return new AppAway(
      `${apiUrl} answered ${status} in a way that this app does not`,
      'check the URL and the version of the app.',
    );
  }
  if (status >= 500) return new AppAway(problem.detail);
  const exitCode = status === 400 || status === 413 ? exitCodes.usage : exitCodes.failed;
  return new Refused(exitCode, problem.detail, problem.code, problem.errors);
}

function reasonOf(error: unknown, patienceMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${patienceMs / 1_000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause ? String(cause.code) : cause.message;
}
