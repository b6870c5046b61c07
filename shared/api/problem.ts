import { type ProblemCode, problems } from '../answers/problem-codes.js';
import type { FieldError } from '../input/field-error.js';

/** What a trigger gives back to its host. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An RFC 9457 answer. */
export function problem(
  code: ProblemCode,
  detail: string,
  { errors, headers }: { errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>> } = {},
): ApiResponse {
  const [status, title] = problems[code];
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ title, status, detail, code, ...(errors ? { errors } : {}) }),
  };
}

/** The answer for everything that is wrong with a request, at once. */
export const invalidRequest = (errors: readonly FieldError[]): ApiResponse =>
  problem(
    'InvalidRequest',
    `${errors.length === 1 ? 'One thing is' : `${errors.length} things are`} wrong: ` +
      `${errors.map(({ in: where, name, detail }) => `${where}${name ? ` ${name}` : ''} ${detail}`).join('; ')}.`,
    { errors },
  );

export const json = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(value),
});
