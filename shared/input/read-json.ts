import type * as z from 'zod';
import type { FieldError } from './field-error.js';
import { type Readable, readableSchema } from './request-body.js';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** What else is wrong can be told at once where the rest can be read; absent where the text is not JSON. */
export type ParsedJson<T> = Parsed<T> & { readonly readable?: Readable | undefined };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @returns undefined if the bytes are not UTF-8: what they were meant to say would be a guess. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads a JSON text against a schema.
 *
 * @param text undefined: there were bytes, but no text.
 * @returns the value, or everything that is wrong with the text.
 */
export function parseJson<T>(text: string | undefined, schema: z.ZodType<T>): ParsedJson<T> {
  const json = readJson(text);
  return json.ok ? checkValue(json.value, schema, json.forbidden) : json;
}

/** What a JSON text says, with what no schema can see of it any more. */
export type ReadJson =
  | { readonly ok: true; readonly value: unknown; readonly forbidden: readonly FieldError[] }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** @param text undefined: there were bytes, but no text. */
export function readJson(text: string | undefined): ReadJson {
  if (text === undefined) return { ok: false, errors: [{ in: 'body', name: '', detail: 'must be UTF-8' }] };
  const forbidden: FieldError[] = [];
  const note = (key: string, part: unknown): unknown => {
    // Copying an object loses this name without a word, so it is refused while it is still to be seen.
    if (key === '__proto__') forbidden.push({ in: 'body', name: key, detail: 'is a reserved name' });
    return part;
  };
  try {
    // Looking at every name takes several times as long as reading, and few texts can have this one.
    const value: unknown = mayHideName.test(text) ? JSON.parse(text, note) : JSON.parse(text);
    return { ok: true, value, forbidden };
  } catch {
    return { ok: false, errors: [{ in: 'body', name: '', detail: 'must be JSON' }] };
  }
}

/** The name as it is, or any escape, which may spell a part of it. */
const mayHideName = /__proto__|\\/;

/** @param forbidden what is wrong with the text that the value was read from. */
export function checkValue<T>(
  value: unknown,
  schema: z.ZodType<T>,
  forbidden: readonly FieldError[],
): ParsedJson<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success && forbidden.length === 0) return { ok: true, value: parsed.data };
  const issues = parsed.success ? [] : parsed.error.issues;
  const found = [...forbidden, ...issues.flatMap(issueToErrors)];
  // A field may offend against several rules at once: the first one says enough.
  const errors = found.filter(({ name }, index) => found.findIndex(each => each.name === name) === index);
  return { ok: false, errors, readable: readableSchema.safeParse(value).data ?? {} };
}

function issueToErrors(issue: z.core.$ZodIssue): readonly FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .filter(key => key !== '__proto__')
      .map(key => ({ in: 'body', name: [...path, key].join('.'), detail: 'is not a known field' }));
  }
  const inner = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
  return [{ in: 'body', name: path.join('.'), detail: inner ?? range(issue) ?? lowerFirst(issue.message) }];
}

/** A limit in words, where the schema has none of its own: zod's are written for programmers. */
function range(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'too_big' && issue.code !== 'too_small') return undefined;
  if (!/^Too (?:big|small):/.test(issue.message)) return undefined;
  const [bound, limit] = issue.code === 'too_big' ? ['at most', issue.maximum] : ['at least', issue.minimum];
  if (issue.origin === 'number' || issue.origin === 'int') return `must be ${bound} ${limit}`;
  if (issue.origin === 'string')
    return `must have ${bound} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  return undefined;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
