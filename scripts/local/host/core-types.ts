import * as z from 'zod';

/**
 * The values that cross between a Functions host and the programming model of `@azure/functions`
 * (they have the shapes of the worker's RPC protocol). What the app hands to us is decoded; what we hand to it is typed.
 */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: HttpRequestData;
}

export interface HttpRequestData {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body?: { readonly bytes: Uint8Array };
}

export interface RetryContext {
  readonly retryCount: number;
  readonly maxRetryCount: number;
  readonly exception?: { readonly message: string };
}

export interface InvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  readonly retryContext?: RetryContext;
  readonly traceContext?: { readonly traceParent: string; readonly traceState: string };
}

const NullableString = z.looseObject({ value: z.string().nullish() }).nullish();
const Bytes = z.custom<Uint8Array>(value => value instanceof Uint8Array);

export const ResponseCookie = z.looseObject({
  name: z.string(),
  value: z.string(),
  domain: NullableString,
  path: NullableString,
  expires: z.looseObject({ value: z.looseObject({ seconds: z.number().optional() }).nullish() }).nullish(),
  secure: z.looseObject({ value: z.boolean().nullish() }).nullish(),
  httpOnly: z.looseObject({ value: z.boolean().nullish() }).nullish(),
  sameSite: z.string().nullish(),
  maxAge: z.looseObject({ value: z.number().nullish() }).nullish(),
});
export type ResponseCookie = z.output<typeof ResponseCookie>;

export const OutputData = z.looseObject({
  string: z.string().optional(),
  json: z.string().optional(),
  bytes: Bytes.optional(),
  int: z.number().optional(),
  double: z.number().optional(),
  http: z
    .looseObject({
      statusCode: z.string(),
      headers: z.record(z.string(), z.string()),
      cookies: z.array(ResponseCookie),
      body: z.looseObject({ bytes: Bytes.optional() }).nullish(),
    })
    .optional(),
});
export type OutputData = z.output<typeof OutputData>;

export const InvocationResponse = z.looseObject({
  outputData: z.array(z.looseObject({ name: z.string(), data: OutputData })).default([]),
  returnValue: OutputData.nullish(),
});
export type InvocationResponse = z.output<typeof InvocationResponse>;

const BindingInfo = z.looseObject({
  type: z.string(),
  direction: z.enum(['in', 'out']),
});
export type BindingInfo = z.output<typeof BindingInfo>;

const RpcDuration = z.looseObject({ seconds: z.number() });

export const FunctionMetadata = z.looseObject({
  name: z.string().min(1),
  bindings: z.record(z.string(), BindingInfo),
  retryOptions: z
    .looseObject({
      maxRetryCount: z.number().optional(),
      retryStrategy: z.string().optional(),
      delayInterval: RpcDuration.optional(),
      minimumInterval: RpcDuration.optional(),
      maximumInterval: RpcDuration.optional(),
    })
    .nullish(),
});
export type FunctionMetadata = z.output<typeof FunctionMetadata>;

export type FunctionCallback = (...args: unknown[]) => unknown;
export const FunctionCallback = z.custom<FunctionCallback>(value => typeof value === 'function');

export type HookCallback = (context: object) => unknown;
export const HookCallback = z.custom<HookCallback>(value => typeof value === 'function');

/** The state that the programming model reads off the context to tell late log calls from others. */
export interface CoreInvocationContext {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: FunctionMetadata;
  state?: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';
  log(level: string, category: string, message: string): void;
}

export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>;
  invokeFunction(context: object, inputs: unknown[], handler: FunctionCallback): Promise<unknown>;
  getResponse(context: object, result: unknown): Promise<unknown>;
}

export interface ProgrammingModel {
  readonly name?: string;
  readonly version?: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities?(capabilities: Record<string, string>): unknown;
}
export const ProgrammingModel = z.custom<ProgrammingModel>(
  value =>
    typeof value === 'object' &&
    value !== null &&
    'getInvocationModel' in value &&
    typeof value.getInvocationModel === 'function',
);
