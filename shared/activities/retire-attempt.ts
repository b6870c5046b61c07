import { changeRequest } from '../change-request.js';
import { attemptBackoff, backoffMs } from '../domain/backoff.js';
import { advance } from '../domain/lifecycle.js';
import { agentNameOf } from '../domain/names.js';
import { pipelineLog } from '../domain/pipeline-log.js';
import type { Activities } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';
import { takeBack } from './take-back.js';
import { tellPipeline } from './waiting-pipeline.js';

/** See {@link Activities}. The request is `provisioning` its next attempt afterwards. */
export const retireAttempt =
  (dependencies: Dependencies) =>
  async (input: Activities['retireAttempt']['input']): Promise<Activities['retireAttempt']['output']> => {
    const { store, clock, config, random, log } = dependencies;
    const { failure, attempt } = input;
    const before = (await store.get(input.requestId))?.request;
    if (before?.generation !== input.generation || before.attempt !== attempt) return { delayMs: 0 };

    await takeBack(dependencies, before);
    const delayMs = backoffMs(attemptBackoff, attempt - before.firstAttempt + 1, random());
    const request = await changeRequest(store, input, row =>
      row.attempt === attempt && ['provisioning', 'starting', 'online'].includes(row.state)
        ? {
            ...advance(row, {
              to: 'provisioning',
              at: clock.now().toISOString(),
              attempt: attempt + 1,
              agentName: agentNameOf(row.requestId, attempt + 1),
              failure,
              detail: `Attempt ${attempt} failed with ${failure.code}: ${failure.message} Next attempt in ${Math.round(delayMs / 1_000)} s.`,
            }),
            batch: undefined,
          }
        : undefined,
    );
    log.warn(`Request ${input.requestId} attempt ${attempt}: ${failure.code}: ${failure.message}`, {
      requestId: input.requestId,
      attempt,
      code: failure.code,
    });
    if (request) {
      const ofHere = attempt - request.firstAttempt + 1;
      // A profile that is not configured any more fails the next attempt: that one is the last.
      const attempts = config.profiles.get(request.profile)?.attempts ?? ofHere + 1;
      await tellPipeline(dependencies, request, pipelineLog.retry(ofHere, attempts, failure, delayMs));
    }
    return { delayMs };
  };
