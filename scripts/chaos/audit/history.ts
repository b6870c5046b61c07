import type { Evidence, HistoryLine, RequestRow } from '../evidence.js';

/** The published life of a request; what may follow an end is its next generation. */
const next: Readonly<Record<string, readonly string[]>> = {
  accepted: ['provisioning', 'cancelled', 'deadLettered'],
  provisioning: ['starting', 'provisioning', 'cancelled', 'deadLettered'],
  starting: ['online', 'provisioning', 'cancelled', 'deadLettered'],
  online: ['busy', 'expired', 'provisioning', 'cancelled', 'deadLettered'],
  busy: ['completed', 'cancelled'],
  completed: ['accepted'],
  expired: ['accepted'],
  cancelled: ['accepted'],
  deadLettered: ['accepted'],
};
const ends = new Set(['completed', 'expired', 'cancelled', 'deadLettered']);

/** Every history tells a legal story: changes, times and attempts in order, one end a generation. */
export const auditHistories = ({ rows }: Evidence): readonly string[] => rows.flatMap(auditHistory);

function auditHistory(row: RequestRow): readonly string[] {
  const { requestId, history } = row;
  const [first] = history;
  if (!first) return [`Request ${requestId} has no history.`];
  const findings: string[] = [];
  if (first.state !== 'accepted') findings.push(`The history of ${requestId} begins with ${first.state}.`);
  let generation = 1;
  for (const [index, line] of history.entries()) {
    const before = history[index - 1];
    if (!before) continue;
    if (ends.has(before.state) && line.state === 'accepted') generation += 1;
    findings.push(...auditStep(requestId, before, line));
  }
  const last = history.at(-1) ?? first;
  if (last.state !== row.state) {
    findings.push(`Request ${requestId} is ${row.state}, but its history ends with ${last.state}.`);
  }
  if (last.attempt !== row.attempt) {
    findings.push(`Request ${requestId} is at attempt ${row.attempt}, its history at ${last.attempt}.`);
  }
  const ended = history.filter(line => ends.has(line.state) && !isPurge(line)).length;
  if (generation !== row.generation || ended !== row.generation) {
    findings.push(
      `Request ${requestId} is in generation ${row.generation}, but its history tells ${generation} beginnings ` +
        `and ${ended} ends.`,
    );
  }
  return findings;
}

/** The one thing that an operator may still note down of a request that has ended. */
const isPurge = ({ detail }: HistoryLine): boolean => detail.startsWith('Purged');

function auditStep(requestId: string, before: HistoryLine, line: HistoryLine): readonly string[] {
  const findings: string[] = [];
  // A line may also be a note, which changes nothing; but an end is written once.
  const isNote = before.state === line.state && (!ends.has(line.state) || isPurge(line));
  if (!isNote && !next[before.state]?.includes(line.state)) {
    findings.push(
      `Request ${requestId} went from ${before.state} to ${line.state}, which is no legal change.`,
    );
  }
  if (line.at < before.at) {
    findings.push(
      `The history of ${requestId} is not in order: ${line.state} at ${line.at} follows ${before.state} at ${before.at}.`,
    );
  }
  const more = line.attempt - before.attempt;
  if (more !== 0 && !(more === 1 && line.state === 'provisioning')) {
    findings.push(
      `The attempts of ${requestId} have a gap: ${line.state} of attempt ${line.attempt} follows ${before.attempt}.`,
    );
  }
  return findings;
}
