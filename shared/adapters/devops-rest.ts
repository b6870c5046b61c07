import type { TokenCredential } from '@azure/identity';
import { getBearerHandler, getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import type * as z from 'zod';
import { TransientError } from '../domain/failure.js';
import type { Clock } from '../ports.js';
import { cachedCredential } from './cached-credential.js';
import { type DevOpsFacts, describeAnswer, devOpsFacts, isAuthStatus, isTransient } from './devops-errors.js';
import { createDevOpsThrottle } from './devops-throttle.js';
import { product } from './product.js';
import { describeNoAnswer, factsOf } from './service-errors.js';
import { createSystemClock } from './system-clock.js';

export interface DevOpsOptions {
  /** The organisation, e.g. `https://dev.azure.com/contoso`. */
  readonly organizationUrl: string;
  readonly auth: { readonly personalAccessToken: string } | { readonly credential: TokenCredential };
  readonly clock?: Clock;
}

/** Azure DevOps as a resource of Entra ID, the same in every tenant. */
const scope = '499b84ac-1321-427f-aa17-267ca6975798/.default';
const callTimeoutMs = 15_000;
export const apiVersion = '6.0';

export interface Answer {
  readonly status: number;
  /** JSON, or null: 404, an empty answer, or a page that is none. */
  readonly body: unknown;
  readonly headers: object;
}

export type Rest = WebApi['rest'];

/** Calls to Azure DevOps about agent pools, with their errors classified and its wish for pauses kept. */
export interface DevOpsRest {
  /** What the paths of agent pools begin with. */
  readonly root: string;
  /** @param what what could not be done, for an error's message. */
  readonly call: (what: string, send: (rest: Rest) => Promise<RestAnswer>) => Promise<Answer>;
  readonly get: (what: string, path: string, version?: string) => Promise<Answer>;
}

/**
 * Calls go out by URL instead of through the client's typed methods: those ask for the service's routes first, hide
 * the status of an answer, and so give the same null for "not found" and for "sign in".
 */
export function createDevOpsRest(options: DevOpsOptions): DevOpsRest {
  const root = `${options.organizationUrl.replace(/\/+$/, '')}/_apis/distributedtask/pools`;
  const openRest = restOpener(options);
  const throttle = createDevOpsThrottle(options.clock ?? createSystemClock(), 'registration');

  async function call(what: string, send: (rest: Rest) => Promise<RestAnswer>): Promise<Answer> {
    await throttle.pause();
    let answer: Answer;
    try {
      const { statusCode, result, headers } = await send(await openRest());
      throttle.heed(headers);
      answer = { status: statusCode, body: result, headers };
    } catch (error) {
      if (error instanceof TransientError) throw error;
      const facts = devOpsFacts(error);
      throttle.pauseFor(facts.retryAfterMs);
      if (isTransient(facts) || isAuthStatus(facts.status)) throw unavailable(what, facts);
      throw new RefusedError(facts, what);
    }
    if (isAuthStatus(answer.status)) throw authenticationFailed(what, String(answer.status));
    return answer;
  }

  return {
    root,
    call,
    get: (what, path, version = apiVersion) =>
      call(what, rest => rest.get<unknown>(`${root}${path}`, accept(version))),
  };
}

interface RestAnswer {
  readonly statusCode: number;
  readonly result: unknown;
  readonly headers: object;
}

/** A call that Azure DevOps understood and refused; the same call will be refused again. */
export class RefusedError extends TransientError {
  readonly #facts: DevOpsFacts;

  constructor(facts: DevOpsFacts, what: string) {
    super(
      'AzDORequestRefused',
      'registration',
      `${what}: Azure DevOps answered ${describeAnswer(facts)}. ${facts.message ?? ''}`.trim(),
    );
    this.#facts = facts;
  }

  get isAlreadyThere(): boolean {
    return this.#facts.status === 409 || this.#facts.typeKey === 'TaskAgentExistsException';
  }

  get isBusy(): boolean {
    const { status, typeKey, message } = this.#facts;
    return status === 409 || /StillRunning/i.test(typeKey ?? '') || /running|in use/i.test(message ?? '');
  }
}

/** A client for each token: its own way of carrying one can't be changed later. */
function restOpener({ organizationUrl, auth }: DevOpsOptions): () => Promise<Rest> {
  const open = (handler: ReturnType<typeof getBearerHandler>): Rest =>
    new WebApi(
      organizationUrl,
      handler,
      {
        socketTimeout: callTimeoutMs,
        keepAlive: true,
        allowRetries: false,
        // The only redirect of this API leads to the sign-in page; following it would hide that.
        allowRedirects: false,
      },
      product,
    ).rest;
  if ('personalAccessToken' in auth) {
    const rest = open(getPersonalAccessTokenHandler(auth.personalAccessToken));
    return () => Promise.resolve(rest);
  }
  const credential = cachedCredential(auth.credential);
  let latest: { token: string; rest: Rest } | undefined;
  return async () => {
    const token = await credential.getToken(scope).catch((error: unknown) => {
      throw authenticationFailed("No Entra token can be had for this app's identity", describe(error));
    });
    if (!token)
      throw authenticationFailed("No Entra token can be had for this app's identity", 'none was given');
    if (latest?.token !== token.token) {
      latest = { token: token.token, rest: open(getBearerHandler(token.token)) };
    }
    return latest.rest;
  };
}

export const accept = (version: string): { acceptHeader: string } => ({
  acceptHeader: version === '' ? 'application/json' : `application/json;api-version=${version}`,
});

export function decode<T>(
  schema: z.ZodType<T>,
  { status, body }: Pick<Answer, 'status' | 'body'>,
  what: string,
): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  // A list is never null: what looks like one is a page for people, which is how a bad token is answered.
  if (body === null || body === undefined) throw authenticationFailed(what, String(status));
  throw new TransientError(
    'AzDOUnavailable',
    'registration',
    `${what}: Azure DevOps gave an answer that can't be understood.`,
  );
}

const unavailable = (what: string, facts: DevOpsFacts): TransientError => {
  if (isAuthStatus(facts.status)) return authenticationFailed(what, describeAnswer(facts));
  const code = facts.status === 429 ? 'AzDOThrottled' : 'AzDOUnavailable';
  const why =
    facts.status === undefined
      ? `Azure DevOps can't be reached: ${describeNoAnswer(facts.code)}`
      : `Azure DevOps answered ${describeAnswer(facts)}`;
  return new TransientError(code, 'registration', `${what}. ${why}.`, facts.retryAfterMs);
};

const authenticationFailed = (what: string, answer: string): TransientError =>
  new TransientError(
    'AzDOAuthenticationFailed',
    'registration',
    `${what}: Azure DevOps did not accept our sign-in (${answer}). Check that AzDOToken is valid, or that this app's ` +
      'identity is a member of the organisation and Administrator of the agent pool.',
  );

const describe = (error: unknown): string => factsOf(error).message ?? 'unknown error';
