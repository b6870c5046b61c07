import type { FastifyReply, FastifyRequest } from 'fastify';

import { BatchError } from './errors.js';
import type { Query } from './odata-list.js';
import { eTagOf } from './views.js';

/** What routes share: typed parameters, the headers of every answer, conditional requests. */

export interface JobRoute {
  Params: { jobId: string };
  Querystring: Query;
}
export interface TaskRoute {
  Params: { jobId: string; taskId: string };
  Querystring: Query;
}
export interface FileRoute {
  Params: { jobId: string; taskId: string; '*': string };
  Querystring: Query;
}
export interface PoolRoute {
  Params: { poolId: string };
  Querystring: Query;
}
export interface NodeRoute {
  Params: { poolId: string; nodeId: string };
  Querystring: Query;
}

const mediaType = 'application/json; odata=minimalmetadata';

interface Versioned {
  readonly version: number;
  readonly creationTime: string;
  readonly lastModified: string;
}

/** Sends an answer with the headers that name and date what it is about. */
export function answer(
  reply: FastifyReply,
  status: number,
  about: Versioned | undefined,
  body?: unknown,
): FastifyReply {
  reply.code(status);
  if (about) {
    reply.header('ETag', eTagOf(about)).header('Last-Modified', new Date(about.lastModified).toUTCString());
  }
  if (body === undefined) return reply.send();
  return sendJson(reply, body);
}

/** As bytes: to a text the framework would add a charset, and quote what the service does not. */
export const sendJson = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('Content-Type', mediaType).send(Buffer.from(JSON.stringify(body)));

/** The URL that the request was made to, without its query: the service's `DataServiceId` and `Location`. */
export const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';

/**
 * Holds a change to the conditions in its headers.
 *
 * @throws BatchError `ConditionNotMet` (412).
 */
export function checkConditions({ headers }: FastifyRequest, about: Versioned): void {
  const eTag = eTagOf(about);
  // HTTP dates have no fractions of a second.
  const modified = Math.floor(Date.parse(about.lastModified) / 1_000) * 1_000;
  const since = Date.parse(headers['if-modified-since'] ?? '');
  const unmodifiedSince = Date.parse(headers['if-unmodified-since'] ?? '');
  const met =
    (headers['if-match'] === undefined || names(headers['if-match'], eTag)) &&
    (headers['if-none-match'] === undefined || !names(headers['if-none-match'], eTag)) &&
    !(modified <= since) &&
    !(modified > unmodifiedSince);
  if (!met) throw new BatchError('ConditionNotMet');
}

const names = (condition: string, eTag: string): boolean =>
  condition === '*' || condition.split(',').some(tag => tag.trim().replaceAll('"', '') === eTag);
