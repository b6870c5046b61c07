import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Credentials } from './credentials.js';
import { sendRequest } from './http.js';
import type { Surroundings } from './surroundings.js';

const ErrorBody = z.object({ message: z.string(), typeKey: z.string() });

/** An answer that repeating the call would not change. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    readonly status: number,
    readonly typeKey: string,
    message: string,
  ) {
    super(message);
  }

  /** The service shows its sign-in page (203) to a token that it does not know. */
  get isAboutToken(): boolean {
    return this.status === 203 || this.status === 401 || this.status === 403;
  }
}

/** The service was away for longer than the caller was ready to wait. */
class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export interface CallOptions {
  readonly body?: unknown;
  /** How long to go on while the service is away or overloaded. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

const firstDelayMs = 100;
const longestDelayMs = 2_000;
/** Longer than the service holds a request for messages open. */
const answerTimeoutMs = 90_000;
const defaultPatienceMs = 10 * 60_000;
/** Who asks an agent to end will not wait long for it. */
const patienceAtShutdownMs = 3_000;

/** Calls to Azure DevOps that outlast its absence: a job must not fail because the service restarts. */
export class Client {
  readonly #base: string;
  readonly #credentials: Credentials;
  readonly #death: AbortSignal;
  #latest = Number.POSITIVE_INFINITY;

  /** Once its agent is asked to end, no call goes on for long; once it is dead, none goes out. */
  constructor(
    base: string,
    credentials: Credentials,
    { shutdown, death }: Pick<Surroundings, 'shutdown' | 'death'>,
  ) {
    this.#base = base;
    this.#credentials = credentials;
    this.#death = death;
    const hurry = (): void => {
      this.#latest = Date.now() + patienceAtShutdownMs;
    };
    if (shutdown.aborted) hurry();
    else shutdown.addEventListener('abort', hurry, { once: true });
  }

  /**
   * @param path below the organisation, e.g. `/_apis/distributedtask/pools`
   * @returns the decoded body; undefined when the answer has none and the schema allows it.
   * @throws {Refused} a final answer · {Unreachable} no answer in the time given · the signal's reason
   */
  async call<Value>(
    method: string,
    path: string,
    schema: z.ZodType<Value>,
    options: CallOptions = {},
  ): Promise<Value> {
    const until = Date.now() + (options.patienceMs ?? defaultPatienceMs);
    for (let delay = firstDelayMs; ; delay = Math.min(delay * 2, longestDelayMs)) {
      options.signal?.throwIfAborted();
      const problem = await this.#try(method, path, schema, options);
      if ('value' in problem) return problem.value;
      if (Date.now() + delay > Math.min(until, this.#latest))
        throw new Unreachable(`Azure DevOps does not answer: ${problem.reason}`);
      await sleep(delay + Math.random() * delay * 0.2, undefined, { signal: options.signal });
    }
  }

  async #try<Value>(
    method: string,
    path: string,
    schema: z.ZodType<Value>,
    options: CallOptions,
  ): Promise<{ value: Value } | { reason: string }> {
    const authorization = await this.#credentials();
    const signals = options.signal ? [options.signal, this.#death] : [this.#death];
    for (const signal of signals) signal.throwIfAborted();
    let status: number;
    let text: string;
    try {
      ({ status, text } = await sendRequest({
        method,
        url: new URL(`${this.#base}${path}`),
        headers: {
          Accept: 'application/json;api-version=7.1-preview',
          Authorization: authorization,
          'X-TFS-FedAuthRedirect': 'Suppress',
          ...(options.body !== undefined && { 'Content-Type': 'application/json' }),
        },
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        timeoutMs: answerTimeoutMs,
        signals,
      }));
    } catch (error) {
      for (const signal of signals) signal.throwIfAborted();
      return { reason: error instanceof Error ? error.message : String(error) };
    }
    const body = parseJson(text);
    if (status === 203 || (status >= 400 && status < 500 && status !== 408 && status !== 429)) {
      const known = ErrorBody.safeParse(body);
      throw known.success
        ? new Refused(status, known.data.typeKey, known.data.message)
        : new Refused(status, '', `status ${status}`);
    }
    if (status >= 300) return { reason: `status ${status}` };
    return { value: schema.parse(body) };
  }
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
