import * as z from 'zod';
import type { oas31, ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { problemSchema } from '../answers/problem.js';
import { type ApiProblemCode, apiProblemCodes, problems } from '../answers/problem-codes.js';
import { headers } from './headers.js';

type Problem = z.infer<typeof problemSchema>;

/** What each says, as a caller may read it. */
const examples: Readonly<Record<ApiProblemCode, Pick<Problem, 'detail' | 'errors'>>> = {
  InvalidRequest: {
    detail:
      '2 things are wrong: body capabilitys is not a known field; query top must be a whole number from 1 to 200.',
    errors: [
      { in: 'body', name: 'capabilitys', detail: 'is not a known field' },
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
  AzDOUnavailable: {
    detail:
      "Agent pool Private Ubuntu can't be looked up. Azure DevOps can't be reached: the connection was refused.",
  },
};

const headersOf: Partial<Record<ApiProblemCode, Readonly<Record<string, oas31.HeaderObject>>>> = {
  TooManyWaiting: { 'Retry-After': headers.retryAfter },
  StorageUnavailable: { 'Retry-After': headers.retryAfter },
  AzDOUnavailable: { 'Retry-After': headers.retryAfter },
  MethodNotAllowed: { Allow: headers.allow },
};

const { errors, ...fields } = problemSchema.shape;

function schemaOf(code: ApiProblemCode) {
  const [status, title] = problems[code];
  const named = examples[code].errors !== undefined;
  return z
    .strictObject({
      ...fields,
      status: z.literal(status),
      code: z.literal(code),
      ...(named ? { errors: errors.unwrap() } : {}),
    })
    .meta({ id: `${code}Problem`, description: `${title}.` });
}

const schemas = new Map(apiProblemCodes.map(code => [code, schemaOf(code)]));
const schemaNamed = (code: ApiProblemCode): z.ZodType => schemas.get(code) ?? schemaOf(code);

/** @param codes that have the same status. */
function responseOf(codes: readonly [ApiProblemCode, ...ApiProblemCode[]]): ZodOpenApiResponseObject {
  const titles = codes.map(code => `${problems[code][1]}.`);
  const answered = Object.fromEntries(codes.flatMap(code => Object.entries(headersOf[code] ?? {})));
  return {
    id: codes.join('Or'),
    description: titles.join(' Or: '),
    ...(Object.keys(answered).length > 0 ? { headers: answered } : {}),
    content: {
      'application/problem+json': {
        schema: codes.length === 1 ? schemaNamed(codes[0]) : z.union(codes.map(schemaNamed)),
        examples: Object.fromEntries(
          codes.map(code => {
            const [status, title] = problems[code];
            return [code, { summary: `${title}.`, value: { title, status, ...examples[code], code } }];
          }),
        ),
      },
    },
  };
}

const responses = new Map<string, ZodOpenApiResponseObject>();

/** The answers of an operation that gives these problems. */
export function problemsWith(...codes: readonly ApiProblemCode[]): ZodOpenApiResponsesObject {
  const found: ZodOpenApiResponsesObject = {};
  for (const code of codes) {
    const [status] = problems[code];
    const same = codes.filter(each => problems[each][0] === status && each !== code);
    const together = [code, ...same] as const;
    const name = together.join(' ');
    // The same object each time, because that is how a response is known to be one that has a name already.
    const response = responses.get(name) ?? responseOf(together);
    responses.set(name, response);
    found[`${status}`] ??= response;
  }
  return found;
}

/** Of routes that are asked with a method that they do not know; no operation of the document can be. */
export const methodNotAllowed = responseOf(['MethodNotAllowed']);
