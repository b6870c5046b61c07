import type * as z from 'zod';
import type { DeadLetterPage, DeadLetterResults, ShownDeadLetter } from '../answers/dead-letters.js';
import type { Config } from '../config.js';
import { purge } from '../dead-letters/purge.js';
import { type RedriveDependencies, redrive } from '../dead-letters/redrive.js';
import type { DeadLetterResult } from '../dead-letters/result.js';
import { carried, isDeadLetter } from '../domain/dead-letter.js';
import { requestIdPattern } from '../domain/names.js';
import { show } from '../domain/view.js';
import { deadLetterListQuerySchema, readQuery } from '../input/query.js';
import { purgeBodySchema, redriveBodySchema } from '../input/settle-body.js';
import type { RequestStore } from '../ports.js';
import { type ApiRequest, baseUrlOf } from './api-request.js';
import { methodNotAllowed } from './method-not-allowed.js';
import { type ApiResponse, json, problem } from './problem.js';
import { readAsked } from './read-asked.js';
import { readPage } from './show-request.js';

interface LookupDependencies {
  readonly config: Config;
  readonly store: RequestStore;
}

/** Newest first, filtered and paged. */
export const listDeadLetters =
  ({ config, store }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const query = readQuery(call.query, deadLetterListQuerySchema);
    const asked = query.ok ? { ok: true as const, value: filterOf(query.value) } : query;
    const page = await readPage(store, asked, call.query.get('continuation'));
    if ('status' in page) return page;
    const baseUrl = baseUrlOf(call, config.publicUrl);
    return json(200, {
      deadLetters: page.requests.map(request => show(request, baseUrl)),
      continuation: page.continuation ?? null,
    } satisfies DeadLetterPage);
  };

const filterOf = ({ code, profile, tag, top }: z.infer<typeof deadLetterListQuerySchema>) => ({
  deadLetters: true,
  failureCode: code,
  profile,
  tag,
  top,
});

/** One dead letter: its request, and the message that it came as. */
export const showDeadLetter =
  ({ config, store }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const requestId = call.params['requestId'] ?? '';
    const request = requestIdPattern.test(requestId) ? (await store.get(requestId))?.request : undefined;
    if (!request || !isDeadLetter(request)) {
      const is = request && (request.purgedAt === undefined ? request.state : 'purged');
      return problem(
        'DeadLetterNotFound',
        is === undefined
          ? `No agent request has the id "${requestId}".`
          : `Request ${requestId} is no dead letter: it is ${is}.`,
      );
    }
    const message = await store.message(requestId);
    return json(200, {
      ...show(request, baseUrlOf(call, config.publicUrl)),
      ...(message ? carried(message) : {}),
    } satisfies ShownDeadLetter);
  };

/** `POST deadletters/redrive` and `POST deadletters/purge`. */
export const settleDeadLetters =
  (dependencies: RedriveDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const { action } = call.params;
    if (action === 'redrive') {
      const body = await readAsked(call, redriveBodySchema);
      if ('status' in body) return body;
      const { requestIds: ids, dryRun = false } = body.value;
      return answer(await redrive(dependencies)(ids, { dryRun }));
    }
    if (action === 'purge') {
      const body = await readAsked(call, purgeBodySchema);
      return 'status' in body ? body : answer(await purge(dependencies)(body.value.requestIds));
    }
    return methodNotAllowed(['GET']);
  };

/** Always 200: each id has a result of its own. */
const answer = (results: readonly DeadLetterResult[]): ApiResponse =>
  json(200, { results } satisfies DeadLetterResults);
