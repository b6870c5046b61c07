import { TransientError } from '../domain/failure.js';
import type { Log } from '../ports.js';
import type { ApiRequest } from './api-request.js';
import { type ApiResponse, problem } from './problem.js';

const retryAfterSeconds = '5';

/** Tells callers that storage is away in words that they can act upon, instead of a bare 500. */
export const whenStorageIsAway =
  (log: Log, answer: (call: ApiRequest) => Promise<ApiResponse>) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    try {
      return await answer(call);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      log.error(`${call.method} ${new URL(call.url).pathname}: ${error.message}`);
      return problem(
        'StorageUnavailable',
        'Storage can not be reached, so it is not known what became of this call. Send it again; a request with a ' +
          'requestId, or from a pipeline, is not doubled by that.',
        { headers: { 'retry-after': retryAfterSeconds } },
      );
    }
  };
