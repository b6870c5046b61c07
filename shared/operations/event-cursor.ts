import { createHash } from 'node:crypto';
import * as z from 'zod';

/**
 * Where a reader of events has come to. Opaque to it; we keep nothing of it, so any instance of the app can go on
 * from it.
 */
export interface EventCursor {
  /** Every line up to this time was told of, or is too late to be told (epoch, ms). */
  readonly toldUntil: number;
  /** Marks of the lines after that time that were told of. */
  readonly told: ReadonlySet<string>;
  /** No request that lived at that time was asked for earlier than this (epoch, ms). */
  readonly oldest: number;
}

/** In a URL; gateways take few kilobytes. */
export const marksAtMost = 300;
const markChars = 6;

const Fields = z.tuple([
  z.coerce.number().int().min(0).max(9_999_999_999_999),
  z.coerce.number().int().min(0).max(9_999_999_999_999),
  z.string().regex(new RegExp(`^(?:[A-Za-z0-9_-]{${markChars}}){0,${marksAtMost}}$`)),
]);

export const encodeCursor = ({ toldUntil, told, oldest }: EventCursor): string =>
  `${toldUntil}.${oldest}.${[...told].join('')}`;

/** @returns undefined if it is none of ours. */
export function decodeCursor(text: string): EventCursor | undefined {
  const parts = text.split('.');
  if (!/^\d{1,13}\.\d{1,13}\.[\w-]*$/.test(text)) return undefined;
  const parsed = Fields.safeParse(parts);
  if (!parsed.success) return undefined;
  const [toldUntil, oldest, marks] = parsed.data;
  const told = new Set(marks.match(new RegExp(`.{${markChars}}`, 'g')) ?? []);
  return { toldUntil, told, oldest };
}

/** A short mark of a line: 36 bits, so among some hundreds two are never alike in practice. */
export const markOf = (line: {
  readonly requestId: string;
  readonly at: string;
  readonly state: string;
  readonly attempt: number;
  readonly detail: string;
}): string =>
  createHash('sha256')
    .update(JSON.stringify([line.requestId, line.at, line.state, line.attempt, line.detail]))
    .digest('base64url')
    .slice(0, markChars);
