import type { ApiRequest } from '../api/api-request.js';
import { listDeadLetters, settleDeadLetters } from '../api/dead-letters.js';
import { type ApiResponse, problem } from '../api/problem.js';
import { listRequests, showRequest } from '../api/show-request.js';
import type { RedriveDependencies } from '../dead-letters/redrive.js';
import type { Clock } from '../ports.js';
import { closedHeaders } from './show-page.js';
import { personOf } from './signed-in.js';

export type DataDependencies = RedriveDependencies & { readonly clock: Clock };
type Handler = (call: ApiRequest) => Promise<ApiResponse>;

/** What the page asks for, below `dashboard/data/`: the handlers of the API, under the page's own lock. */
const handlers = (
  dependencies: DataDependencies,
  further: Readonly<Record<string, Handler>>,
): ReadonlyMap<string, Handler> =>
  new Map([
    ['GET requests', listRequests(dependencies)],
    ['GET deadletters', listDeadLetters(dependencies)],
    ['POST deadletters/redrive', withParams({ action: 'redrive' }, settleDeadLetters(dependencies))],
    ...Object.entries(further),
  ]);

/** `requests/{requestId}` */
function oneRequest(dependencies: DataDependencies, method: string, path: string): Handler | undefined {
  const requestId = /^requests\/([^/]+)$/.exec(path)?.[1];
  return method === 'GET' && requestId !== undefined
    ? withParams({ requestId }, showRequest(dependencies))
    : undefined;
}

/**
 * `GET` and `POST dashboard/data/{*path}`
 *
 * @param further handlers of the API whose needs only its composition knows, e.g. `GET pools`.
 */
export const answerPage =
  (dependencies: DataDependencies, further: Readonly<Record<string, Handler>> = {}) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const path = (call.params['path'] ?? '').replace(/\/$/, '');
    const handler =
      handlers(dependencies, further).get(`${call.method} ${path}`) ??
      oneRequest(dependencies, call.method, path);
    if (!handler) return closed(problem('RouteNotFound', `The page has no data at "${path}".`));
    if (call.method !== 'GET') {
      if (!comesFromPage(call)) return closed(notFromThePage);
      const person = personOf(dependencies.config, call);
      dependencies.log.info(`The page was used for ${path}${person === undefined ? '' : ` by ${person}`}.`);
    }
    return closed(await handler(call));
  };

/**
 * A page of somebody else can make a browser send a form with all of a person's cookies, but neither this header nor
 * this type without asking us first, and we never agree. Browsers say by themselves where a call comes from.
 */
function comesFromPage({ headers }: ApiRequest): boolean {
  const site = headers.get('sec-fetch-site');
  return (
    headers.get('x-requested-by') === 'dashboard' &&
    /^application\/json\b/i.test(headers.get('content-type') ?? '') &&
    (site === null || site === 'same-origin')
  );
}

const notFromThePage = problem(
  'NotFromThePage',
  'Changes need the headers "x-requested-by: dashboard" and "content-type: application/json", from the page itself. ' +
    'For programs there are the routes of the API.',
);

const withParams =
  (params: Readonly<Record<string, string>>, handler: Handler): Handler =>
  async call =>
    handler({
      method: call.method,
      url: call.url,
      headers: call.headers,
      query: call.query,
      params,
      arrayBuffer: async () => call.arrayBuffer(),
    });

const closed = (response: ApiResponse): ApiResponse => ({
  ...response,
  headers: { ...response.headers, ...closedHeaders },
});
