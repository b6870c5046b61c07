import { setTimeout as sleep } from 'node:timers/promises';

/** Longest that a caller goes on trying. */
const patienceMs = 120_000;
const answerTimeoutMs = 30_000;

export interface Reply {
  readonly status: number;
  readonly json: unknown;
}

/** One HTTP call. @throws when there is no answer. */
export async function call(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
  return { status: response.status, json };
}

/** True when nothing of the call can have arrived. */
export function neverLeft(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return [error, cause].some(each => each instanceof Error && 'code' in each && each.code === 'ECONNREFUSED');
}

/**
 * Tries again, as a caller does whose service is away, until there is a result.
 *
 * @param attempt gives undefined, or throws, when it has to be tried again.
 * @throws the last error when the patience is at its end.
 */
export async function insist<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const until = Date.now() + patienceMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 1.7, 1_500)) {
    let why: unknown = 'it was never taken';
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      why = error;
    }
    if (Date.now() > until) throw new Error(`${what} was tried for ${patienceMs / 1_000} s: ${String(why)}`);
    await sleep(pauseMs);
  }
}
