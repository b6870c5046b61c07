import * as z from 'zod';
import type { FieldError } from '../input/field-error.js';
import { problemCodes } from './problem-codes.js';

const fieldErrorSchema = z.strictObject({
  in: z.enum(['body', 'header', 'query', 'path']),
  name: z
    .string()
    .describe('The name of the field, header or parameter; a nested one with dots; empty for the whole.'),
  detail: z.string().describe('What is wrong with it.'),
}) satisfies z.ZodType<FieldError>;

/** An RFC 9457 answer to what can't be done. */
export const problemSchema = z.strictObject({
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().describe('A sentence for the person who reads it: what is wrong, and what to do.'),
  code: z.enum(problemCodes).describe('A stable word, for programs.'),
  errors: z
    .array(fieldErrorSchema)
    .min(1)
    .describe('Everything that is wrong with the request, at once.')
    .optional(),
});
