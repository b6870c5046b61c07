import type { Evidence, RunRecord } from '../evidence.js';
import { isDisturbed } from './disturbances.js';

/** Nobody completes again without a pause, or is back from a kill, sooner than this. */
const soonestMs = 300;

/** Every pipeline that waits gets exactly one result, and is told it again only where the first word may be lost. */
export function auditPipelines(evidence: Evidence): readonly string[] {
  return evidence.runs
    .filter(({ waits }) => waits)
    .flatMap(run => [...unanswered(evidence, run), ...repeated(evidence, run)]);
}

function unanswered({ runs }: Evidence, run: RunRecord): readonly string[] {
  const taken = run.completions.filter(({ accepted }) => accepted).length;
  if (taken > 1) return [`Run ${run.runId} (${run.name}) took ${taken} results.`];
  if (taken === 1 || !run.asked) return [];
  if (run.state !== 'completed') return [`Run ${run.runId} (${run.name}) is still ${run.state}.`];
  // Cancelled by its author: nobody waited any longer.
  if (run.result === 'canceled' && !run.abandoned) return [];
  // A re-run that joined the request of a run before it: that one has got the result.
  const before = runs.some(
    other =>
      other !== run && other.planId === run.planId && other.completions.some(({ accepted }) => accepted),
  );
  return before ? [] : [`Run ${run.runId} (${run.name}) waited for its agent and never got a result.`];
}

function repeated(evidence: Evidence, run: RunRecord): readonly string[] {
  // A call that was delivered anew with another token made another request, which tells its own end.
  const askers = evidence.rows.filter(({ planId }) => planId === run.planId).length;
  let free = Math.max(0, askers - 1);
  return run.completions.flatMap((completion, index) => {
    const before = run.completions[index - 1];
    if (!before) return [];
    const isEvent = (part: string, call: string): boolean =>
      part === 'storage' || (part === 'devops' && call.endsWith('/events'));
    const gapMs = Date.parse(completion.at) - Date.parse(before.at);
    if (gapMs >= soonestMs && isDisturbed(evidence, before.at, completion.at, isEvent)) return [];
    if (free > 0) {
      free -= 1;
      return [];
    }
    return [
      `Run ${run.runId} (${run.name}) was told "${completion.result}" at ${completion.at}, although it had been told ` +
        `"${before.result}" at ${before.at} and nothing had happened to that answer.`,
    ];
  });
}
