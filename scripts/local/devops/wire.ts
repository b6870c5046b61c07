import * as z from 'zod';
import { badRequest } from './errors.js';

/** Decodes what a client sent. @throws {VssError} 400 that names each offending field. */
export function decode<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw badRequest(`${what} can't be understood: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** `{count, value}`, the service's envelope of every list. */
export const list = <Item>(items: readonly Item[]): { count: number; value: readonly Item[] } => ({
  count: items.length,
  value: items,
});

/**
 * An enumeration as clients send it: its name in any case (plain REST), or its number (the typed client never
 * turns its enums into names). Decodes to the name.
 */
export function wireEnum<Name extends string>(values: Readonly<Record<Name, number>>) {
  const byText = new Map<string, Name>();
  for (const name in values) byText.set(name.toLowerCase(), name).set(String(values[name]), name);
  return z.union([z.string(), z.number()]).transform((input, context): Name => {
    const name = byText.get(String(input).toLowerCase());
    if (name !== undefined) return name;
    context.addIssue({ code: 'custom', message: `expected one of ${Object.keys(values).join(', ')}` });
    return z.NEVER;
  });
}

/** `true` in a query, in any case; anything else, or nothing, is false. */
export const flag = z
  .string()
  .optional()
  .transform(text => text?.toLowerCase() === 'true');

/** A whole number in a path or query. */
export const number = z.coerce.number().int();
