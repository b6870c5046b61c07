import type { Evidence, RequestRow } from '../evidence.js';
import { isDisturbed } from './disturbances.js';

/** Who asked to be answered hears of the end, and hears it again only where the first word may be lost. */
export const auditReplies = (evidence: Evidence): readonly string[] =>
  evidence.rows.filter(({ replyQueue }) => replyQueue !== undefined).flatMap(row => auditRow(evidence, row));

function auditRow(evidence: Evidence, row: RequestRow): readonly string[] {
  const { requestId, state, tag, history } = row;
  const times = evidence.replies.filter(
    reply => reply.requestId === requestId && reply.state === state,
  ).length;
  if (times === 0) return [`Request ${requestId} ended as ${state}, and its sender was not told.`];
  // A message that comes again is answered again.
  const sent = evidence.asked.find(one => one.tag === tag)?.sent ?? 1;
  const from = history[0]?.at ?? '';
  const to = history.at(-1)?.at ?? '';
  return times > sent && !isDisturbed(evidence, from, to, part => part !== 'batch')
    ? [`Request ${requestId} ended as ${state}, and its sender was told ${times} times.`]
    : [];
}
