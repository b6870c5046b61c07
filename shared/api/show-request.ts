import type { ShownRequestPage } from '../answers/request.js';
import type { Config } from '../config.js';
import { requestIdPattern } from '../domain/names.js';
import { type AgentRequest, isEnded } from '../domain/request.js';
import { show } from '../domain/view.js';
import { readQuery, requestListQuerySchema, requestQuerySchema } from '../input/query.js';
import type { Parsed } from '../input/read-json.js';
import type { Clock, RequestFilter, RequestPage, RequestStore } from '../ports.js';
import { type ApiRequest, baseUrlOf } from './api-request.js';
import { type ApiResponse, invalidRequest, json, problem } from './problem.js';

interface LookupDependencies {
  readonly config: Config;
  readonly store: RequestStore;
  readonly clock: Clock;
}

const lookAgainMs = 500;
const usualTop = 50;

export const notFound = (requestId: string): ApiResponse =>
  problem('RequestNotFound', `No agent request has the id "${requestId}".`);

/** One request; with `?wait` as soon as its state changes, or when the time is up. */
export const showRequest =
  ({ config, store, clock }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const requestId = call.params['requestId'] ?? '';
    const query = readQuery(call.query, requestQuerySchema);
    if (!query.ok) return invalidRequest(query.errors);
    const { wait: seconds = 0 } = query.value;
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
 * Reads one page of a list.
 *
 * @param asked what the query asks for, or what is wrong with it; no page is given then.
 * @param continuation as it came.
 * @returns the answer instead, where something is wrong.
 */
export async function readPage(
  store: RequestStore,
  asked: Parsed<Omit<RequestFilter, 'top' | 'continuation'> & { readonly top?: number | undefined }>,
  continuation: string | null,
): Promise<RequestPage | ApiResponse> {
  const wrong = asked.ok ? [] : [...asked.errors];
  // Only the store knows its continuations, so it is asked beside other errors, too: all are named at once.
  const page =
    asked.ok || continuation !== null
      ? await store.list({
          ...(asked.ok ? asked.value : {}),
          top: asked.ok ? (asked.value.top ?? usualTop) : 1,
          continuation: continuation ?? undefined,
        })
      : undefined;
  if (!page && continuation !== null) {
    wrong.push({ in: 'query', name: 'continuation', detail: 'must be one that a list answered with' });
  }
  return page && wrong.length === 0 ? page : invalidRequest(wrong);
}

/** Newest first, filtered and paged. */
export const listRequests =
  ({ config, store }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const asked = readQuery(call.query, requestListQuerySchema);
    const page = await readPage(store, asked, call.query.get('continuation'));
    if ('status' in page) return page;
    const baseUrl = baseUrlOf(call, config.publicUrl);
    return json(200, {
      requests: page.requests.map(request => show(request, baseUrl)),
      continuation: page.continuation ?? null,
    } satisfies ShownRequestPage);
  };
