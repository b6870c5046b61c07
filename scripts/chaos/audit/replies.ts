import type { Evidence } from '../evidence.js';

/** Who asked to be answered hears of the end. */
export function auditReplies({ rows, replies }: Evidence): readonly string[] {
  return rows
    .filter(({ replyQueue }) => replyQueue !== undefined)
    .filter(row => !replies.some(reply => reply.requestId === row.requestId && reply.state === row.state))
    .map(({ requestId, state }) => `Request ${requestId} ended as ${state}, and its sender was not told.`);
}
