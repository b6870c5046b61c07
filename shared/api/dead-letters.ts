import * as z from 'zod';
import type { Config } from '../config.js';
import { purge } from '../dead-letters/purge.js';
import { type RedriveDependencies, redrive } from '../dead-letters/redrive.js';
import type { DeadLetterResult } from '../dead-letters/result.js';
import { carried, isDeadLetter } from '../domain/dead-letter.js';
import { requestIdPattern } from '../domain/names.js';
import { show } from '../domain/view.js';
import type { FieldError } from '../input/field-error.js';
import type { RequestStore } from '../ports.js';
import { type ApiRequest, baseUrlOf } from './api-request.js';
import { methodNotAllowed } from './method-not-allowed.js';
import { type ApiResponse, json, problem } from './problem.js';
import { readAsked } from './read-asked.js';
import { profilePattern, readTag } from './read-query.js';
import { readPage } from './show-request.js';

interface LookupDependencies {
  readonly config: Config;
  readonly store: RequestStore;
}

/** Newest first, filtered and paged. */
export const listDeadLetters =
  ({ config, store }: LookupDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const errors: FieldError[] = [];
    const read = (name: string, pattern: RegExp, detail: string): string | undefined => {
      const value = call.query.get(name) ?? undefined;
      if (value !== undefined && !pattern.test(value)) errors.push({ in: 'query', name, detail });
      return value;
    };
    const failureCode = read('code', /^[A-Za-z0-9]{1,64}$/, 'must be the code of a failure');
    const profile = read('profile', profilePattern, 'must be the name of a profile');
    const tag = readTag(call.query, (name, detail) => errors.push({ in: 'query', name, detail }));
    const page = await readPage(store, { deadLetters: true, failureCode, profile, tag }, call.query, errors);
    if ('status' in page) return page;
    const baseUrl = baseUrlOf(call, config.publicUrl);
    return json(200, {
      deadLetters: page.requests.map(request => show(request, baseUrl)),
      continuation: page.continuation ?? null,
    });
  };

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
    });
  };

const idsAtOnce = 200;
const requestIds = z
  .array(
    z
      .string()
      .regex(requestIdPattern, 'must be 1 to 40 of a-z, 0-9 and "-", and start with a letter or digit'),
  )
  .min(1, 'must name at least one request')
  .max(idsAtOnce, `must name at most ${idsAtOnce} requests`);
const Purge = z.strictObject({ requestIds });
const Redrive = z.strictObject({ requestIds, dryRun: z.boolean().optional() });

/** `POST deadletters/redrive` and `POST deadletters/purge`. */
export const settleDeadLetters =
  (dependencies: RedriveDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const { action } = call.params;
    if (action === 'redrive') {
      const body = await readAsked(call, Redrive);
      if ('status' in body) return body;
      const { requestIds: ids, dryRun = false } = body.value;
      return answer(await redrive(dependencies)(ids, { dryRun }));
    }
    if (action === 'purge') {
      const body = await readAsked(call, Purge);
      return 'status' in body ? body : answer(await purge(dependencies)(body.value.requestIds));
    }
    return methodNotAllowed(['GET']);
  };

/** Always 200: each id has a result of its own. */
const answer = (results: readonly DeadLetterResult[]): ApiResponse => json(200, { results });
