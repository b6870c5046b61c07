import * as z from 'zod';

/** What templates are made of. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export const jsonValue: z.ZodType<Json> = z.json();
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !isList(value);

/** `Array.isArray` forgets that what it has narrowed may be readonly. */
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** A value as a template writes it into a text. */
export function text(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** A part of a value that may not be there, e.g. `at(site, 'properties', 'siteConfig')`. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let part = value;
  for (const key of path) {
    if (isList(part)) part = typeof key === 'number' ? part[key] : undefined;
    else if (isObject(part)) part = Object.hasOwn(part, key) ? part[key] : undefined;
    else return undefined;
  }
  return part;
}

export const listAt = (value: Json | undefined, ...path: readonly (string | number)[]): readonly Json[] => {
  const part = at(value, ...path);
  return isList(part) ? part : [];
};

export const objectAt = (value: Json | undefined, ...path: readonly (string | number)[]): JsonObject => {
  const part = at(value, ...path);
  return isObject(part) ? part : {};
};

export const textAt = (
  value: Json | undefined,
  ...path: readonly (string | number)[]
): string | undefined => {
  const part = at(value, ...path);
  return typeof part === 'string' ? part : undefined;
};

/** Every text in a value, with the path to it, e.g. `properties.subnets[0].name`. */
export function* texts(value: Json, path = ''): Generator<{ readonly path: string; readonly text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  else if (isList(value)) {
    for (const [index, part] of value.entries()) yield* texts(part, `${path}[${index}]`);
  } else if (isObject(value)) {
    for (const [name, part] of Object.entries(value)) {
      yield* texts(part, path ? `${path}.${name}` : name);
      yield { path: `${path}.${name}`, text: name };
    }
  }
}
