import * as z from 'zod';
import type { ApiRequest } from '../api/api-request.js';
import { type ApiResponse, problem } from '../api/problem.js';
import type { Config } from '../config.js';
import { shorten } from '../domain/failure.js';

/** What App Service tells of a person who has signed in. Only the platform can set these headers: it drops a caller's. */
const principalHeader = 'x-ms-client-principal';
const nameHeader = 'x-ms-client-principal-name';

const Principal = z.object({ claims: z.array(z.unknown()).min(1) });

/**
 * Lets those in who may see the page. With function keys the host has looked already; with Easy Auth the functions are
 * anonymous to the host, and this is the only door.
 */
export const forSignedIn =
  ({ dashboardAuth }: Pick<Config, 'dashboardAuth'>, answer: (call: ApiRequest) => Promise<ApiResponse>) =>
  async (call: ApiRequest): Promise<ApiResponse> =>
    dashboardAuth === 'key' || isPrincipal(call.headers.get(principalHeader))
      ? answer(call)
      : problem(
          'SignInNeeded',
          'App Service authentication says nothing of who you are. Sign in, e.g. at /.auth/login/aad, and open the page again.',
        );

/** Who has signed in, for the log; undefined with function keys, which have no name. */
export function personOf(
  { dashboardAuth }: Pick<Config, 'dashboardAuth'>,
  { headers }: Pick<ApiRequest, 'headers'>,
): string | undefined {
  if (dashboardAuth === 'key') return undefined;
  // oxlint-disable-next-line no-control-regex -- a line break would begin a log line of its own
  const name = (headers.get(nameHeader) ?? '').replaceAll(/[\u0000-\u001f\u007f]/g, '').trim();
  return name === '' ? undefined : shorten(name, 100);
}

function isPrincipal(header: string | null): boolean {
  if (header === null || header === '') return false;
  try {
    return Principal.safeParse(JSON.parse(atob(header))).success;
  } catch {
    return false;
  }
}
