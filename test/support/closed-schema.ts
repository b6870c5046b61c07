import * as z from 'zod';

type JsonObject = Readonly<Record<string, unknown>>;
const JsonObject = z.record(z.string(), z.unknown());

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, closed(each)] as const);
  const isOpen = 'properties' in value && 'type' in value && !('additionalProperties' in value);
  return { ...Object.fromEntries(entries), ...(isOpen ? { additionalProperties: false } : {}) };
}

/**
 * A check of what the product says, made of a JSON Schema of it. Published schemas are open to new fields; a field that
 * they lack is undocumented all the same, so here they are closed.
 */
export const closedSchema = (schema: JsonObject): z.ZodType =>
  z.fromJSONSchema(JsonObject.parse(closed(schema)));
