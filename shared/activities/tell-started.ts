import { pipelineLog, type StartedTask } from '../domain/pipeline-log.js';
import type { Situation } from '../domain/situation.js';
import { inBatches } from '../in-batches.js';
import type { LiveRequest } from '../ports.js';
import type { Dependencies } from './dependencies.js';
import { listedRequest } from './listed-request.js';
import { tellPipeline } from './waiting-pipeline.js';

/** A run of which something that we told it has shown that it is over. */
export interface RunOver {
  readonly requestId: string;
  readonly situation: Extract<Situation, { kind: 'runOver' }>;
}

const atOnce = 32;

/**
 * Tells pipelines that wait, in the very round that saw it, that their agents' tasks have got a node or have begun to
 * run.
 *
 * @param started what the tasks do now, by request.
 * @returns runs that are over.
 */
export async function tellStarted(
  dependencies: Pick<Dependencies, 'store' | 'pipeline' | 'seal' | 'clock' | 'log'>,
  requests: readonly LiveRequest[],
  started: ReadonlyMap<string, StartedTask>,
): Promise<readonly RunOver[]> {
  const { clock, log } = dependencies;
  const over: RunOver[] = [];
  await inBatches(requests, atOnce, async listed => {
    const { requestId, attempt, pipelineWaits } = listed;
    const task = started.get(requestId);
    if (task === undefined || !pipelineWaits) return;
    try {
      const request = await listedRequest(dependencies, listed);
      if (request?.state !== 'starting' || request.attempt !== attempt) return;
      const line = pipelineLog.started(request, task, clock.now().getTime());
      const answer = await tellPipeline(dependencies, request, line);
      if (typeof answer === 'object') {
        over.push({ requestId, situation: { kind: 'runOver', attempt, reason: answer.planOver } });
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`Request ${requestId}: its pipeline could not be told that its task is ${task}: ${why}`, {
        requestId,
        attempt,
      });
    }
  });
  return over;
}
