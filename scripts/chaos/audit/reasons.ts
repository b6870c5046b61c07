import type { Evidence, RequestRow } from '../evidence.js';

/** A clock may be read a moment before it is written down. */
const slackMs = 1_000;

/** Nobody is cancelled without reason: somebody said so, or the run that asked is over. */
export function auditCancellations(evidence: Evidence): readonly string[] {
  return evidence.rows
    .filter(({ state }) => state === 'cancelled')
    .filter(row => !somebodyCancelled(evidence, row) && !runWasOver(evidence, row))
    .map(({ requestId }) => `Request ${requestId} is cancelled, and nobody had cancelled it.`);
}

const somebodyCancelled = ({ asked }: Evidence, { tag }: RequestRow): boolean =>
  asked.some(one => one.tag === tag && one.cancelSent);

function runWasOver({ runs }: Evidence, { planId, history }: RequestRow): boolean {
  const end = Date.parse(history.at(-1)?.at ?? '');
  return runs.some(
    run =>
      planId !== undefined &&
      run.planId === planId &&
      run.finishedAt !== undefined &&
      Date.parse(run.finishedAt) <= end + slackMs,
  );
}
