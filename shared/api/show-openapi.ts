import { createHash } from 'node:crypto';
import type { ApiRequest } from './api-request.js';
import type { ApiResponse } from './problem.js';

/** Long enough to spare us tools that ask for each file of a project, short enough after an upgrade. */
const keptSeconds = 300;

interface Served {
  readonly body: string;
  readonly etag: string;
}

/**
 * The document of this API, the same bytes each time.
 *
 * @param load gives its text; called when the document is asked for first, since an instance may never be asked.
 */
export function showOpenApi(load: () => Promise<string>): (call: ApiRequest) => Promise<ApiResponse> {
  let served: Promise<Served> | undefined;
  const serve = async (): Promise<Served> => {
    const body = await load();
    return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
  };
  return async call => {
    served ??= serve();
    const { body, etag } = await served;
    const headers = { etag, 'cache-control': `public, max-age=${keptSeconds}` };
    const known = (call.headers.get('if-none-match') ?? '').split(',').map(each => each.trim());
    if (known.some(each => each === etag || each === `W/${etag}` || each === '*')) {
      return { status: 304, headers, body: '' };
    }
    return { status: 200, headers: { ...headers, 'content-type': 'application/json; charset=utf-8' }, body };
  };
}
