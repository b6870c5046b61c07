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
