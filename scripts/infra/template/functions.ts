import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import ipaddr from 'ipaddr.js';
import { ExpressionError } from './expression.js';
import { isList, isObject, type Json, type JsonObject, jsonValue, text } from './json.js';

/**
 * The functions of template expressions that need nothing but their arguments. Those that Azure alone can compute
 * (`uniqueString`, `guid`) give values of the same form that depend on the same arguments.
 */
type Pure = (...args: readonly Json[]) => Json;

const fail = (message: string): never => {
  throw new ExpressionError(message);
};
const show = (value: Json | undefined): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing';

const word = (value: Json | undefined): string =>
  typeof value === 'string' ? value : fail(`a text is expected, not ${show(value)}`);
const whole = (value: Json | undefined): number =>
  typeof value === 'number' ? value : fail(`a number is expected, not ${show(value)}`);
const truth = (value: Json | undefined): boolean =>
  typeof value === 'boolean' ? value : fail(`true or false is expected, not ${show(value)}`);
const list = (value: Json | undefined): readonly Json[] =>
  isList(value) ? value : fail(`an array is expected, not ${show(value)}`);
const object = (value: Json | undefined): JsonObject =>
  isObject(value) ? value : fail(`an object is expected, not ${show(value)}`);

const digest = (...parts: readonly Json[]): Buffer =>
  createHash('sha256').update(JSON.stringify(parts)).digest();

export function guidOf(...parts: readonly Json[]): string {
  const hex = digest('guid', ...parts).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Thirteen letters and digits. */
const uniqueString = (...parts: readonly Json[]): string =>
  Array.from(digest(...parts).subarray(0, 13), byte => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join(
    '',
  );

function empty(value: Json | undefined): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (isList(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

function merge(first: Json, second: Json): Json {
  if (!isObject(first) || !isObject(second)) return second;
  const merged: Record<string, Json> = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const there = merged[name];
    merged[name] = there === undefined ? value : merge(there, value);
  }
  return merged;
}

const same = (a: Json, b: Json): boolean => isDeepStrictEqual(a, b);
const distinct = (values: readonly Json[]): Json[] =>
  values.filter((value, index) => values.findIndex(other => same(other, value)) === index);

/** `format('{0}-{1:00}', …)`: of the format strings of .NET only the padding by zeros is understood. */
function format(pattern: Json, ...values: readonly Json[]): string {
  return word(pattern).replace(
    /\{\{|\}\}|\{(\d+)(?::([^}]*))?\}/g,
    (found: string, index?: string, style?: string) => {
      if (index === undefined) return found.slice(1);
      const value = text(values[Number(index)]);
      if (style === undefined) return value;
      return /^0+$/.test(style)
        ? value.padStart(style.length, '0')
        : fail(`format {:${style}} is not known here`);
    },
  );
}

/** @returns the subnet of a number, e.g. (10.0.0.0/16, 24, 2) → 10.0.2.0/24. */
function cidrSubnet(range: Json, length: Json, index: Json): string {
  const [address, prefix] = ipaddr.IPv4.parseCIDR(word(range));
  const bits = whole(length);
  if (bits < prefix || whole(index) >= 2 ** (bits - prefix)) {
    fail(`${word(range)} has no subnet ${show(index)} of /${bits}`);
  }
  const start = address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
  const number = start + whole(index) * 2 ** (32 - bits);
  const bytes = [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256);
  return `${bytes.join('.')}/${bits}`;
}

const resourceName = (type: Json, names: readonly Json[]): string => {
  const [namespace = '', ...types] = word(type).split('/');
  const parts = names.flatMap(name => word(name).split('/'));
  if (types.length !== parts.length) {
    fail(`${word(type)} wants ${types.length} names, and there are ${parts.length}: ${parts.join(', ')}`);
  }
  return `providers/${namespace}/${types.map((kind, index) => `${kind}/${parts[index]}`).join('/')}`;
};

export const extensionId = (scope: string, type: Json, ...names: readonly Json[]): string =>
  `${scope.replace(/\/$/, '')}/${resourceName(type, names)}`;

export const pure: Readonly<Record<string, Pure>> = {
  true: () => true,
  false: () => false,
  null: () => null,
  format,
  // As text or as arrays.
  concat: (...parts) => (parts.some(isList) ? parts.flatMap(list) : parts.map(text).join('')),
  string: value =>
    typeof value === 'boolean' || typeof value === 'string' ? text(value) : JSON.stringify(value),
  int: value => Math.trunc(Number(value)),
  bool: value => (typeof value === 'string' ? value.toLowerCase() === 'true' : Boolean(value)),
  json: value => jsonValue.parse(JSON.parse(word(value))),
  length: value =>
    isObject(value) ? Object.keys(value).length : isList(value) ? value.length : word(value).length,
  empty: value => empty(value),
  contains: (where, what) =>
    isList(where)
      ? where.some(part => same(part, what))
      : isObject(where)
        ? Object.hasOwn(where, text(what))
        : word(where).includes(text(what)),
  equals: same,
  not: value => !truth(value),
  greater: (a, b) => (typeof a === 'string' ? a > word(b) : whole(a) > whole(b)),
  greaterOrEquals: (a, b) => (typeof a === 'string' ? a >= word(b) : whole(a) >= whole(b)),
  less: (a, b) => (typeof a === 'string' ? a < word(b) : whole(a) < whole(b)),
  lessOrEquals: (a, b) => (typeof a === 'string' ? a <= word(b) : whole(a) <= whole(b)),
  add: (a, b) => whole(a) + whole(b),
  sub: (a, b) => whole(a) - whole(b),
  mul: (a, b) => whole(a) * whole(b),
  div: (a, b) => Math.trunc(whole(a) / whole(b)),
  mod: (a, b) => whole(a) % whole(b),
  min: (...values) => Math.min(...values.flatMap(value => (isList(value) ? value : [value])).map(whole)),
  max: (...values) => Math.max(...values.flatMap(value => (isList(value) ? value : [value])).map(whole)),
  union: (...values) =>
    values.every(isList) ? distinct(values.flatMap(list)) : values.map(object).reduce<Json>(merge, {}),
  shallowMerge: values => list(values).reduce<JsonObject>((all, each) => ({ ...all, ...object(each) }), {}),
  intersection: (first, ...others) =>
    distinct(list(first).filter(value => others.every(other => list(other).some(part => same(part, value))))),
  createArray: (...values) => values,
  array: value => (isList(value) ? value : [value]),
  createObject: (...pairs) =>
    Object.fromEntries(pairs.flatMap((key, i) => (i % 2 === 0 ? [[word(key), pairs[i + 1] ?? null]] : []))),
  first: value => (typeof value === 'string' ? (value[0] ?? '') : (list(value)[0] ?? null)),
  last: value => (typeof value === 'string' ? (value.at(-1) ?? '') : (list(value).at(-1) ?? null)),
  take: (value, count) =>
    typeof value === 'string' ? value.slice(0, whole(count)) : list(value).slice(0, whole(count)),
  skip: (value, count) =>
    typeof value === 'string' ? value.slice(whole(count)) : list(value).slice(whole(count)),
  flatten: value => list(value).flatMap(list),
  range: (start, count) => Array.from({ length: whole(count) }, (_, index) => whole(start) + index),
  items: value =>
    Object.entries(object(value))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => ({ key, value: part })),
  objectKeys: value => Object.keys(object(value)).toSorted(),
  tryGet: (value, ...keys) =>
    keys.reduce<Json>((part, key) => {
      if (isList(part)) return part[whole(key)] ?? null;
      return isObject(part) && Object.hasOwn(part, word(key)) ? (part[word(key)] ?? null) : null;
    }, value ?? null),
  coalesce: (...values) => values.find(value => value !== null) ?? null,
  indexOf: (where, what) =>
    isList(where) ? where.findIndex(part => same(part, what)) : word(where).indexOf(word(what)),
  split: (value, separators) => {
    const marks = isList(separators) ? separators.map(word) : [word(separators)];
    return marks.reduce((parts, mark) => parts.flatMap(part => part.split(mark)), [word(value)]);
  },
  join: (values, separator) => list(values).map(text).join(word(separator)),
  replace: (value, from, to) => word(value).replaceAll(word(from), word(to)),
  substring: (value, start, count) =>
    word(value).slice(whole(start), count === undefined ? undefined : whole(start) + whole(count)),
  toLower: value => word(value).toLowerCase(),
  toUpper: value => word(value).toUpperCase(),
  trim: value => word(value).trim(),
  startsWith: (value, start) => word(value).toLowerCase().startsWith(word(start).toLowerCase()),
  endsWith: (value, end) => word(value).toLowerCase().endsWith(word(end).toLowerCase()),
  padLeft: (value, count, fill) => text(value).padStart(whole(count), fill === undefined ? ' ' : word(fill)),
  base64: value => Buffer.from(word(value)).toString('base64'),
  uri: (base, relative) => new URL(word(relative), word(base)).href,
  uriComponent: value => encodeURIComponent(word(value)),
  uniqueString,
  guid: guidOf,
  newGuid: () => guidOf('new'),
  utcNow: () => '2026-01-01T00:00:00Z',
  cidrSubnet,
  extensionResourceId: (scope, type, ...names) => extensionId(word(scope), type, ...names),
  tenantResourceId: (type, ...names) => `/${resourceName(type, names)}`,
};
