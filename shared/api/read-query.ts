import type { RequestFilter } from '../ports.js';
import type { ApiRequest } from './api-request.js';

export const profilePattern = /^[a-z0-9][a-z0-9-]{0,19}$/;

/** A decimal number; NaN for whatever else JavaScript would make a number of, such as `0x10` or a blank. */
export const toNumber = (text: string): number => (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN);

/** `tag=NAME=VALUE`; the first `=` ends the name. */
export function readTag(
  query: ApiRequest['query'],
  wrong: (name: string, detail: string) => unknown,
): RequestFilter['tag'] {
  const text = query.get('tag');
  if (text === null) return undefined;
  const equals = text.indexOf('=');
  if (equals >= 1 && equals <= 64 && text.length - equals <= 513) {
    return { name: text.slice(0, equals), value: text.slice(equals + 1) };
  }
  wrong('tag', 'must be the name of a tag, "=" and its value');
  return undefined;
}
