import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';

/** Answers with an RFC 9457 problem. */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
  headers: Record<string, string> = {},
): FastifyReply {
  return reply
    .code(status)
    .headers(headers)
    .type('application/problem+json')
    .send(JSON.stringify({ title: STATUS_CODES[status] ?? 'Error', status, detail, code }));
}
