import * as z from 'zod';
import type { ApiResponse } from '../../shared/api/problem.js';
import { makeOpenApiDocument } from '../../shared/openapi/document.js';
import { closedSchema } from './closed-schema.js';

/** Holds answers against the OpenAPI document: what it says is what callers build upon. */

const Response = z.object({
  $ref: z.string().optional(),
  headers: z.record(z.string(), z.object({ required: z.boolean().optional() })).default({}),
  content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })).optional(),
});
type Response = z.infer<typeof Response>;
const Operation = z.object({ operationId: z.string(), responses: z.record(z.string(), Response) });
type Operation = z.infer<typeof Operation>;
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), Response),
  }),
});

const text = JSON.stringify(makeOpenApiDocument()).replaceAll('#/components/schemas/', '#/$defs/');
const { paths, components } = Document.parse(JSON.parse(text));
/** Every operation of the document, by its id. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.values(paths).flatMap(path => Object.values(path).map(each => [each.operationId, each] as const)),
);

const checks = new Map<string, z.ZodType>();

function checkOf(schema: Record<string, unknown>): z.ZodType {
  const key = JSON.stringify(schema);
  const check = checks.get(key) ?? closedSchema({ ...schema, $defs: components.schemas });
  checks.set(key, check);
  return check;
}

export interface GivenAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: string;
}

const resolve = (response: Response | undefined): Response | undefined =>
  response?.$ref === undefined ? response : components.responses[response.$ref.split('/').at(-1) ?? ''];

function hold(name: string, said: Response | undefined, { status, headers, body }: GivenAnswer): void {
  const wrong = (what: string): Error =>
    new Error(`${name} answered ${status}, and ${what}: ${body.slice(0, 1_000)}`);
  const response = resolve(said);
  if (!response) throw wrong('the document does not know that status');
  for (const [header, { required }] of Object.entries(response.headers)) {
    if (required && headers.get(header) === null) throw wrong(`it lacks the header ${header}`);
  }
  for (const header of ['location', 'retry-after', 'idempotent-replay', 'allow', 'etag']) {
    const known = Object.keys(response.headers).some(each => each.toLowerCase() === header);
    if (headers.get(header) !== null && !known)
      throw wrong(`the document does not know its header ${header}`);
  }
  // The Functions host answers so, not the app; not every host leaves the body empty.
  if (status === 401) return;
  if (!response.content) {
    if (body !== '' && headers.get('content-type')?.includes('json'))
      throw wrong('the document knows no body');
    return;
  }
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  const content = response.content[type];
  if (!content) throw wrong(`the document does not know its type ${type}`);
  if (!type.endsWith('json')) return;
  const checked = checkOf(content.schema).safeParse(JSON.parse(body));
  if (!checked.success)
    throw wrong(`its body is not what the document says (${z.prettifyError(checked.error)})`);
}

/** @returns the answer, which is one that the document has for this operation. */
export function documented(operationId: string, answer: ApiResponse): ApiResponse {
  const operation = operations.get(operationId);
  if (!operation) throw new Error(`The document has no operation ${operationId}.`);
  hold(operationId, operation.responses[answer.status], { ...answer, headers: new Headers(answer.headers) });
  return answer;
}

/** The codes of the problems that the document has for an operation. */
export function problemsOf(operationId: string): readonly string[] {
  const operation = operations.get(operationId);
  return Object.values(operation?.responses ?? {}).flatMap(response => {
    const schema = resolve(response)?.content?.['application/problem+json']?.schema;
    return schema === undefined ? [] : codesOf(schema);
  });
}

const OfProblem = z.object({
  $ref: z.string().optional(),
  anyOf: z.array(z.record(z.string(), z.unknown())).default([]),
  properties: z.object({ code: z.object({ const: z.string() }) }).optional(),
});

function codesOf(schema: unknown): readonly string[] {
  const { $ref, anyOf, properties } = OfProblem.parse(schema);
  if ($ref !== undefined) return codesOf(components.schemas[$ref.split('/').at(-1) ?? '']);
  return [...anyOf.flatMap(codesOf), ...(properties ? [properties.code.const] : [])];
}

/** The same for an answer that came over HTTP; `path` is what follows `/api`. */
export function holdAgainstDocument(method: string, path: string, answer: GivenAnswer): void {
  // Hosts take a slash at the end for none.
  const parts = (path.split('?')[0] ?? '').replace(/\/$/, '').split('/');
  const fits = (template: string): boolean => {
    const wanted = template.split('/');
    return (
      wanted.length === parts.length && wanted.every((each, at) => each.startsWith('{') || each === parts[at])
    );
  };
  const found = Object.keys(paths)
    .filter(fits)
    .flatMap(template => Object.entries(paths[template] ?? {}));
  if (found.length === 0) throw new Error(`The document has no path for ${path}.`);
  // Of two that fit, a word and a parameter, either may be meant; the word comes first where both know the method.
  const operation = found.findLast(([each]) => each === method.toLowerCase())?.[1];
  const name = `${method} ${path}`;
  if (operation) hold(name, operation.responses[answer.status], answer);
  else if (answer.status !== 401) hold(name, components.responses['MethodNotAllowed'], answer);
}
