import type * as z from 'zod';
import type {
  ZodOpenApiExamplesObject,
  ZodOpenApiOperationObject,
  ZodOpenApiResponseObject,
  ZodOpenApiResponsesObject,
} from 'zod-openapi';

/** Either of both opens a route. */
export const withKey: NonNullable<ZodOpenApiOperationObject['security']> = [
  { functionKeyHeader: [] },
  { functionKeyQuery: [] },
];
/** Where the parameter `code` is a filter. */
export const withKeyInHeader: typeof withKey = [{ functionKeyHeader: [] }];
export const anonymous: typeof withKey = [];

/** By what stands in the summary of each: values that must be what the schema says. */
export type Examples<T> = Readonly<Record<string, { readonly summary: string; readonly value: T }>>;

const asObject = <T>(examples: Examples<T>): ZodOpenApiExamplesObject =>
  Object.fromEntries(Object.entries(examples));

/** A JSON answer. */
export const answer = <T>(
  description: string,
  schema: z.ZodType<T>,
  examples: Examples<NoInfer<T>>,
  headers?: ZodOpenApiResponseObject['headers'],
): ZodOpenApiResponseObject => ({
  description,
  ...(headers ? { headers } : {}),
  content: { 'application/json': { schema, examples: asObject(examples) } },
});

/** A JSON body. */
export const body = <T>(
  schema: z.ZodType<T>,
  examples: Examples<NoInfer<T>>,
  { required, description }: { readonly required: boolean; readonly description: string },
): NonNullable<ZodOpenApiOperationObject['requestBody']> => ({
  required,
  description,
  content: { 'application/json': { schema, examples: asObject(examples) } },
});

/** What the Functions host answers before the app is asked. */
export const unauthorized: ZodOpenApiResponsesObject = {
  401: {
    id: 'Unauthorized',
    description: 'No function key, or a wrong one. The Functions host answers so by itself, without a body.',
  },
};
