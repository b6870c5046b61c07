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

/**
 * What the page asks for, below `dashboard/data/`: the handlers of the API, under the page's own lock. A further one
 * is plugged in here.
 */
const handlers = (
  dependencies: DataDependencies,
): Readonly<Record<string, (parameter: string) => Handler>> => ({
  'GET requests': () => listRequests(dependencies),
  'GET requests/*': requestId => withParams({ requestId }, showRequest(dependencies)),
  'GET deadletters': () => listDeadLetters(dependencies),
  'POST deadletters/redrive': () => withParams({ action: 'redrive' }, settleDeadLetters(dependencies)),
});

/** `GET` and `POST dashboard/data/{*path}` */
export const answerPage =
  (dependencies: DataDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const path = (call.params['path'] ?? '').replace(/\/$/, '');
    const [first = '', second = ''] = path.split('/');
    const table = handlers(dependencies);
    const exact = table[`${call.method} ${path}`];
    const handler = exact ?? (path === `${first}/${second}` ? table[`${call.method} ${first}/*`] : undefined);
    if (!handler) return closed(problem('RouteNotFound', `The page has no data at "${path}".`));
    if (call.method !== 'GET') {
      if (!comesFromPage(call)) return closed(notFromThePage);
      const person = personOf(dependencies.config, call);
      dependencies.log.info(`The page was used for ${path}${person === undefined ? '' : ` by ${person}`}.`);
    }
    return closed(await handler(second)(call));
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
