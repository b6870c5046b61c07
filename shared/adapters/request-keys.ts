import { odata } from '@azure/data-tables';
import * as z from 'zod';
import type { AgentRequest } from '../domain/request.js';

/**
 * One partition, so that a request changes place in one transaction:
 *
 *     live~{requestId}                  the truth while a request lives
 *     ended~{inverted}~{requestId}      the whole request once it has ended, newest first
 *     request~{requestId}               where its ended row is; empty while it lives
 */
export const partition = 'requests';
export const liveKey = (requestId: string): string => `live~${requestId}`;
export const pointerKey = (requestId: string): string => `request~${requestId}`;
export const endedKey = (request: Pick<AgentRequest, 'requestId' | 'createdAt'>): string =>
  `ended~${positionOf(request)}`;

/** Sorts newest first as text; 13 digits until the year 2286. */
export const positionOf = ({ requestId, createdAt }: Pick<AgentRequest, 'requestId' | 'createdAt'>): string =>
  `${inverted(createdAt)}~${requestId}`;

const inverted = (at: string): string => String(9_999_999_999_999 - Date.parse(at)).padStart(13, '0');

/** `~` sorts after every character of a request id. */
export const liveRange = (): string =>
  odata`PartitionKey eq ${partition} and RowKey ge ${'live~'} and RowKey lt ${'live~~'}`;

/**
 * `:` sorts after every digit.
 *
 * @param after the position of the last one that is known already, or an empty text.
 */
export const endedRange = (after: string): string =>
  odata`PartitionKey eq ${partition} and RowKey gt ${`ended~${after}`} and RowKey lt ${'ended~:'}`;

/**
 * Ended requests by when they were asked for, both ends included; `~` sorts after every character of an id.
 *
 * @param to undefined: up to now, and beyond, should a clock be ahead.
 */
export const endedBetween = (from: string, to: string | undefined): string =>
  odata`PartitionKey eq ${partition} and RowKey ge ${`ended~${to === undefined ? '' : inverted(to)}`} and RowKey lt ${`ended~${inverted(from)}~~`}`;

export const rowKeyOf = (row: Record<string, unknown>): string => z.string().catch('?').parse(row['rowKey']);

const Position = z.string().regex(/^\d{13}~[a-z0-9][a-z0-9-]{0,39}$/);

export const encodeContinuation = (position: string): string => Buffer.from(position).toString('base64url');

/** @returns undefined if it is none of ours. */
export function decodeContinuation(continuation: string): string | undefined {
  const parsed = Position.safeParse(Buffer.from(continuation, 'base64url').toString('utf8'));
  return parsed.success && encodeContinuation(parsed.data) === continuation ? parsed.data : undefined;
}
