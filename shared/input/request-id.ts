import { createHash, randomUUID } from 'node:crypto';
import type { PipelineCaller } from './pipeline-headers.js';

const idLength = 32;

/**
 * The id of a request whose caller gave none. A repeated delivery of one call gives the same id; a re-run comes with
 * another token or `attempt`, so it gives another. The token goes in as a digest and can't be had back from it.
 */
export function deriveRequestId(caller: PipelineCaller | undefined, attempt: string | undefined): string {
  if (!caller) return randomUUID().replaceAll('-', '');
  const { planUrl, projectId, hubName, planId, jobId, timelineId, taskInstanceId } = caller.context;
  return digest([
    planUrl,
    projectId,
    hubName,
    planId,
    jobId,
    timelineId,
    taskInstanceId,
    digest([caller.token]),
    attempt ?? '',
  ]);
}

/** The id of a request that came as a queue message without one: a redelivery of the message gives the same. */
export const requestIdOfMessage = (messageId: string): string => digest(['queue message', messageId]);

const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, idLength);
