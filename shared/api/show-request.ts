import type { Config } from '../config.js';
import { requestIdPattern } from '../domain/names.js';
import { type AgentRequest, isEnded, requestStates } from '../domain/request.js';
import { show } from '../domain/view.js';
import type { FieldError } from '../input/field-error.js';
import type { Clock, RequestFilter, RequestPage, RequestStore } from '../ports.js';
import { type ApiRequest, baseUrlOf } from './api-request.js';
import { type ApiResponse, invalidRequest, json, problem } from './problem.js';
import { profilePattern, readTag, toNumber } from './read-query.js';

interface LookupDependencies {
  readonly config: Config;
  readonly store: RequestStore;
  readonly clock: Clock;
}

/** Shorter than any gateway's patience. */
const longestWaitSeconds = 25;
const lookAgainMs = 500;

export const notFound = (requestId: string): ApiResponse =>
  problem('RequestNotFound', `No agent request has the id "${requestId}".`);

/** One request; with `?wait` as soon as its state changes, or when the time is up. */
export const showRequest =
  ({ config, store, clock }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const requestId = call.params['requestId'] ?? '';
    const wait = call.query.get('wait');
    const seconds = wait === null ? 0 : toNumber(wait);
    if (!(seconds <= longestWaitSeconds)) {
      const detail = `must be a number of seconds from 0 to ${longestWaitSeconds}`;
      return invalidRequest([{ in: 'query', name: 'wait', detail }]);
    }
    if (!requestIdPattern.test(requestId)) return notFound(requestId);

    const first = (await store.get(requestId))?.request;
    if (!first) return notFound(requestId);
    let current: AgentRequest = first;
    const until = clock.now().getTime() + seconds * 1_000;
    while (!isEnded(current.state) && current.state === first.state && clock.now().getTime() < until) {
      await clock.sleep(Math.min(lookAgainMs, until - clock.now().getTime()));
      current = (await store.get(requestId))?.request ?? current;
    }
    return json(200, show(current, baseUrlOf(call, config.publicUrl)));
  };

/**
 * Reads one page of a list as the query asks for it.
 *
 * @param errors what is wrong with the query so far; no page is given then.
 * @returns the answer instead, where something is wrong.
 */
export async function readPage(
  store: RequestStore,
  filter: Omit<RequestFilter, 'top' | 'continuation'>,
  query: ApiRequest['query'],
  errors: readonly FieldError[],
): Promise<RequestPage | ApiResponse> {
  const wrong = [...errors];
  const top = toNumber(query.get('top') ?? '50');
  if (!Number.isInteger(top) || top < 1 || top > 200) {
    wrong.push({ in: 'query', name: 'top', detail: 'must be a whole number from 1 to 200' });
  }
  const continuation = query.get('continuation') ?? undefined;
  // Only the store knows its continuations, so it is asked beside other errors, too: all are named at once.
  const refusedAnyway = wrong.length > 0;
  const page =
    refusedAnyway && continuation === undefined
      ? undefined
      : await store.list(refusedAnyway ? { top: 1, continuation } : { ...filter, top, continuation });
  if (!page && continuation !== undefined) {
    wrong.push({ in: 'query', name: 'continuation', detail: 'must be one that a list answered with' });
  }
  return page && wrong.length === 0 ? page : invalidRequest(wrong);
}

/** Newest first, filtered and paged. */
export const listRequests =
  ({ config, store }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const errors: FieldError[] = [];
    const wrong = (name: string, detail: string): undefined => {
      errors.push({ in: 'query', name, detail });
    };
    const asked = call.query.get('state');
    const state = asked === null ? undefined : requestStates.find(each => each === asked);
    if (asked !== null && !state) wrong('state', `must be one of ${requestStates.join(', ')}`);
    const profile = call.query.get('profile') ?? undefined;
    if (profile !== undefined && !profilePattern.test(profile))
      wrong('profile', 'must be the name of a profile');
    const tag = readTag(call.query, wrong);
    const page = await readPage(store, { state, profile, tag }, call.query, errors);
    if ('status' in page) return page;
    const baseUrl = baseUrlOf(call, config.publicUrl);
    return json(200, {
      requests: page.requests.map(request => show(request, baseUrl)),
      continuation: page.continuation ?? null,
    });
  };
