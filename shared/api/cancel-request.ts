import { changeRequest } from '../change-request.js';
import type { Config } from '../config.js';
import { note } from '../domain/lifecycle.js';
import { requestIdPattern } from '../domain/names.js';
import { isEnded } from '../domain/request.js';
import { show } from '../domain/view.js';
import type { Clock, Log, Orchestrations, RequestStore } from '../ports.js';
import { type ApiRequest, baseUrlOf } from './api-request.js';
import { type ApiResponse, json, problem } from './problem.js';
import { notFound } from './show-request.js';

/**
 * Asks for the end of a request. The wish is written down first: if the request has not been started yet, or the
 * event gets lost, the row still tells everybody who decides about it.
 */
export const cancelRequest =
  ({
    config,
    store,
    clock,
    orchestrations,
    log,
  }: {
    readonly config: Config;
    readonly store: RequestStore;
    readonly clock: Clock;
    readonly orchestrations: Orchestrations;
    readonly log: Log;
  }) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const requestId = call.params['requestId'] ?? '';
    const before = requestIdPattern.test(requestId) ? (await store.get(requestId))?.request : undefined;
    if (!before) return notFound(requestId);
    const at = clock.now().toISOString();
    const request = await changeRequest(store, before, row =>
      isEnded(row.state) || row.cancelRequestedAt !== undefined
        ? undefined
        : note({ ...row, cancelRequestedAt: at }, at, 'Cancellation was asked for.'),
    );
    if (!request || isEnded(request.state)) {
      return problem('RequestEnded', `Request ${requestId} is ${request?.state ?? before.state} already.`);
    }
    try {
      await orchestrations.raise(requestId, { kind: 'cancel', attempt: request.attempt });
    } catch (error) {
      // The wish is in the row: the watch tells it again.
      log.warn(`Request ${requestId}: its cancellation could not be raised: ${String(error)}`, { requestId });
    }
    return json(202, show(request, baseUrlOf(call, config.publicUrl)), { 'retry-after': '2' });
  };
