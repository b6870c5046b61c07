import type { FieldError } from '../input/field-error.js';

/** What a trigger gives back to its host. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every code that the API refuses with; the OpenAPI document and `.github/docs/api.md` are held against it. */
export const problems = {
  InvalidRequest: [400, 'The request can not be accepted as it is'],
  BodyTooLarge: [413, 'The body is too large'],
  RequestNotFound: [404, 'There is no such agent request'],
  DeadLetterNotFound: [404, 'There is no such dead letter'],
  RequestEnded: [409, 'The agent request has ended'],
  MethodNotAllowed: [405, 'This route does not know that method'],
  TooManyWaiting: [429, 'Too many agent requests wait already'],
  SignInNeeded: [401, 'Nobody has signed in'],
  NotFromThePage: [403, 'This call does not come from the page'],
  RouteNotFound: [404, 'The page has no such data'],
  StorageUnavailable: [503, 'Storage can not be reached'],
  AzDOUnavailable: [503, 'Azure DevOps can not be asked'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type ProblemCode = keyof typeof problems;
const isCode = (word: string): word is ProblemCode => Object.hasOwn(problems, word);
export const problemCodes: readonly ProblemCode[] = Object.keys(problems).filter(isCode);

/** Only the page of operators is ever told these: its data routes are its own, and in no document. */
export const pageProblems = ['SignInNeeded', 'NotFromThePage', 'RouteNotFound'] as const;
export type ApiProblemCode = Exclude<ProblemCode, (typeof pageProblems)[number]>;
export const apiProblemCodes: readonly ApiProblemCode[] = problemCodes.filter(
  (code): code is ApiProblemCode => !pageProblems.some(each => each === code),
);

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
