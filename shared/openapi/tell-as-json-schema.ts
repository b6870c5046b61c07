import type * as z from 'zod';

interface Context {
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
  readonly io?: 'input' | 'output';
}

/**
 * Says of a schema what a reader outside needs. Answers may get new fields without a new major version, so whoever
 * validates them must not refuse those: there the schema is as open as the promise, while tests hold answers to it closed.
 */
export function tellAsJsonSchema({ jsonSchema, io = 'output' }: Context): void {
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  // Zod's long pattern of a time says no more than its format.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (jsonSchema.format === 'base64') {
    delete jsonSchema.format;
    delete jsonSchema.pattern;
    jsonSchema.contentEncoding = 'base64';
  }
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
