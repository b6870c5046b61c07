import { placeholdersBodySchema } from '../answers/placeholders.js';
import { TransientError } from '../domain/failure.js';
import {
  listPlaceholders,
  type PlaceholderDependencies,
  settlePlaceholders,
} from '../operations/placeholders.js';
import type { ApiRequest } from './api-request.js';
import { type ApiResponse, invalidRequest, json, problem } from './problem.js';
import { readAsked } from './read-asked.js';

/** `GET placeholders` */
export const showPlaceholders = (dependencies: PlaceholderDependencies) => async (): Promise<ApiResponse> =>
  unlessDevOpsIsAway(async () => listPlaceholders(dependencies));

/** `POST placeholders/ensure` and `POST placeholders/remove`; without a body: of all pools that profiles name. */
export const changePlaceholders =
  (dependencies: PlaceholderDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const action = actions.find(each => each === call.params['action']);
    if (!action) {
      return invalidRequest([{ in: 'path', name: 'action', detail: `must be ${actions.join(' or ')}` }]);
    }
    const body = await readAsked(call, placeholdersBodySchema, '{}');
    if ('status' in body) return body;
    return unlessDevOpsIsAway(async () => settlePlaceholders(dependencies, action, body.value.devOpsPools));
  };

const actions = ['ensure', 'remove'] as const;

/** Not a bare 500, nor storage's words: whoever asks can tell which service to look at. */
async function unlessDevOpsIsAway(answer: () => Promise<unknown>): Promise<ApiResponse> {
  try {
    return json(200, await answer());
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    return problem('AzDOUnavailable', error.failure.message, { headers: { 'retry-after': '5' } });
  }
}
