import type { Evidence, RequestRow } from '../evidence.js';
import type { Asked } from '../ledger.js';

const ends = new Set(['completed', 'expired', 'cancelled', 'deadLettered']);

/** Every request that was accepted is there, once, and has ended; and nothing is there that nobody asked for. */
export function auditEnds(evidence: Evidence): readonly string[] {
  return [
    ...lost(evidence),
    ...doubled(evidence),
    ...evidence.rows
      .filter(({ state }) => !ends.has(state))
      .map(row => `Request ${row.requestId} has not ended: it is ${row.state}.`),
  ];
}

/** What a caller was told is kept must be there. */
function lost({ asked, rows }: Evidence): readonly string[] {
  const ids = new Set(rows.map(({ requestId }) => requestId));
  return asked.flatMap(one => {
    const promised = one.answers.filter(({ status }) => status < 300);
    if (promised.length === 0) return [];
    const expected = new Set(promised.flatMap(({ requestId }) => requestId ?? []));
    if (one.requestId !== undefined) expected.add(one.requestId);
    const missing = [...expected].filter(id => !ids.has(id));
    if (missing.length > 0) {
      return missing.map(
        id => `Request ${id} (${one.kind} ${one.tag}) was accepted and is lost: it has no row.`,
      );
    }
    return rowsOf(one, rows).length === 0
      ? [`${one.kind} ${one.tag} was accepted and is lost: no request came of it.`]
      : [];
  });
}

function doubled({ asked, rows, runs, kills }: Evidence): readonly string[] {
  const findings: string[] = [];
  const seen = new Set<string>();
  for (const { requestId } of rows) {
    if (seen.has(requestId)) findings.push(`Request ${requestId} has more than one row.`);
    seen.add(requestId);
  }
  const explained = new Set<RequestRow>();
  // A pipeline service that is started again sends what it was about to send, with a new token.
  const resent = kills.filter(({ part }) => part === 'devops').length;
  for (const one of asked) {
    const its = rowsOf(one, rows);
    for (const row of its) explained.add(row);
    const byPipeline = runs.some(({ name }) => name === one.tag);
    const most = one.requestId === undefined ? one.sent + (byPipeline ? resent : 0) : 1;
    if (its.length > most) {
      const names = its.map(({ requestId }) => requestId).join(', ');
      findings.push(
        `${one.kind} ${one.tag} was sent ${one.sent} times and made ${its.length} requests: ${names}.`,
      );
    }
  }
  return [
    ...findings,
    ...rows
      .filter(row => !explained.has(row))
      .map(({ requestId }) => `Request ${requestId} is there and nobody asked for it.`),
  ];
}

/** The requests that came of what a caller asked. Of a message that can't be understood nothing but its bytes is known. */
export function rowsOf(asked: Asked, rows: readonly RequestRow[]): readonly RequestRow[] {
  if (asked.kind !== 'messageGarbled') return rows.filter(({ tag }) => tag === asked.tag);
  const bytes = Buffer.from(asked.message ?? '').toString('base64');
  return rows.filter(({ tag, message }) => tag === undefined && message === bytes);
}
