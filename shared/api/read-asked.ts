import type * as z from 'zod';
import { decodeUtf8, parseJson } from '../input/read-json.js';
import { bodyLimitBytes } from '../input/request-body.js';
import type { ApiRequest } from './api-request.js';
import { type ApiResponse, invalidRequest, problem } from './problem.js';
import { readBody } from './read-body.js';

/**
 * Reads a JSON body.
 *
 * @param whenEmpty what a body of no bytes stands for; by default it is no JSON, and refused.
 * @returns the answer to a body that can't be accepted.
 */
export async function readAsked<T>(
  call: ApiRequest,
  schema: z.ZodType<T>,
  whenEmpty = '',
): Promise<{ readonly value: T } | ApiResponse> {
  const bytes = await readBody(call);
  if (!bytes) return problem('BodyTooLarge', `The body may have at most ${bodyLimitBytes} bytes.`);
  const body = parseJson(bytes.length === 0 ? whenEmpty : decodeUtf8(bytes), schema);
  return body.ok ? body : invalidRequest(body.errors);
}
