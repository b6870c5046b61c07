import * as z from 'zod';
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { problemSchema } from '../answers/problem.js';
import { type ProblemCode, problemCodes, problems } from '../api/problem.js';
import { headers } from './headers.js';

type Problem = z.infer<typeof problemSchema>;

/** What each says, as a caller may read it. */
const examples: Readonly<Record<ProblemCode, Pick<Problem, 'detail' | 'errors'>>> = {
  InvalidRequest: {
    detail:
      '2 things are wrong: body timeoutMinutes must be at most 120; query top must be a whole number from 1 to 200.',
    errors: [
      { in: 'body', name: 'timeoutMinutes', detail: 'must be at most 120' },
      { in: 'query', name: 'top', detail: 'must be a whole number from 1 to 200' },
    ],
  },
  BodyTooLarge: { detail: 'The body may have at most 65536 bytes.' },
  RequestNotFound: { detail: 'No agent request has the id "nightly-42".' },
  DeadLetterNotFound: { detail: 'Request nightly-42 is no dead letter: it is busy.' },
  RequestEnded: { detail: 'Request nightly-42 is completed already.' },
  MethodNotAllowed: { detail: 'This route takes GET and POST.' },
  TooManyWaiting: {
    detail:
      'Profile "ubuntu" has 10000 requests that wait for an agent, and its maxWaiting is 10000. Nothing was kept; send this ' +
      'request again later. More agents at once (its maxAlive, the nodes of its Batch pool) make the backlog shorter.',
  },
  StorageUnavailable: {
    detail:
      'Storage can not be reached, so it is not known what became of this call. Send it again; a request with a requestId, ' +
      'or from a pipeline, is not doubled by that.',
  },
};

const headersOf: Partial<Record<ProblemCode, ZodOpenApiResponseObject['headers']>> = {
  TooManyWaiting: { 'Retry-After': headers.retryAfter },
  StorageUnavailable: { 'Retry-After': headers.retryAfter },
  MethodNotAllowed: { Allow: headers.allow },
};

const { errors, ...fields } = problemSchema.shape;

function responseOf(code: ProblemCode): ZodOpenApiResponseObject {
  const [status, title] = problems[code];
  const named = examples[code].errors !== undefined;
  const schema = z.strictObject({
    ...fields,
    status: z.literal(status),
    code: z.literal(code),
    ...(named ? { errors: errors.unwrap() } : {}),
  });
  const codeHeaders = headersOf[code];
  return {
    id: code,
    description: `${title}.`,
    ...(codeHeaders ? { headers: codeHeaders } : {}),
    content: {
      'application/problem+json': {
        schema: schema.meta({ id: `${code}Problem`, description: `${title}.` }),
        examples: { [code]: { value: { title, status, ...examples[code], code } } },
      },
    },
  };
}

const responses = new Map(problemCodes.map(code => [code, responseOf(code)]));

/** The answers of an operation that gives these problems; no two of them may have one status. */
export function problemsWith(...codes: readonly ProblemCode[]): ZodOpenApiResponsesObject {
  const found: ZodOpenApiResponsesObject = {};
  for (const code of codes) {
    const response = responses.get(code);
    const status = `${problems[code][0]}` as const;
    if (!response || found[status]) throw new Error(`${code}: a second problem with the status ${status}`);
    found[status] = response;
  }
  return found;
}

/** Of routes that are asked with a method that they do not know; no operation of the document can be. */
export const methodNotAllowed = responseOf('MethodNotAllowed');
