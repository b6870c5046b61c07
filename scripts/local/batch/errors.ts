import { randomUUID } from 'node:crypto';

/**
 * Every error the Batch service documents that this stand-in can answer with: HTTP status and sentence.
 * Source: "Batch status and error codes" of the Batch service REST reference.
 */
const catalogue = {
  AccountIsDisabled: [403, 'The specified account is disabled.'],
  ActiveJobAndScheduleQuotaReached: [
    409,
    'The Batch account has reached its quota of active jobs and job schedules.',
  ],
  AuthenticationFailed: [
    403,
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
  ],
  AutoScalingFormulaSyntaxError: [400, 'The specified auto-scaling formula has a syntax error.'],
  AutoScaleFormulaTooLong: [400, 'The specified auto-scaling formula exceeds the length limit.'],
  ConditionNotMet: [412, 'The condition specified using HTTP conditional header(s) is not met.'],
  FileNotFound: [404, 'The specified file does not exist.'],
  InternalError: [500, 'Server encountered an internal error. Please try again after some time.'],
  InvalidAuthenticationInfo: [
    400,
    'The authentication information was not provided in the correct format. Verify the value of Authorization header.',
  ],
  InvalidPropertyValue: [400, 'The value provided for one of the properties in the request body is invalid.'],
  InvalidQueryParameterValue: [
    400,
    'Value for one of the query parameters specified in the request URI is invalid.',
  ],
  InvalidRange: [416, 'The range specified is invalid for the current size of the resource.'],
  InvalidRequestBody: [400, 'The specified Request Body is not syntactically valid.'],
  InvalidUri: [400, 'The requested URI does not represent any resource on the server.'],
  JobBeingDeleted: [409, 'The specified job has been marked for deletion and is being garbage collected.'],
  JobBeingTerminated: [409, 'The specified job is being terminated.'],
  JobCompleted: [409, 'The specified job is already in a completed state.'],
  JobDisabled: [409, 'The specified job is disabled.'],
  JobExists: [409, 'The specified job already exists.'],
  JobNotActive: [409, 'The specified job is not in an active state.'],
  JobNotFound: [404, 'The specified job does not exist.'],
  MissingRequiredProperty: [400, 'A required property was not specified in the request body.'],
  MissingRequiredQueryParameter: [400, 'A required query parameter was not specified for this request.'],
  NodeNotFound: [404, 'The specified node does not exist.'],
  OperationInvalidForCurrentState: [
    409,
    'The specified operation is not valid for the current state of the resource.',
  ],
  OperationNotValidOnPool: [409, 'The specified operation is not valid on the pool.'],
  OutOfRangeQueryParameterValue: [
    400,
    'A query parameter specified in the request URI is outside the permissible range.',
  ],
  OperationTimedOut: [500, 'Operation could not be completed within the permitted time.'],
  PoolBeingResized: [409, 'The specified pool is being resized.'],
  PoolNotFound: [404, 'The specified pool does not exist.'],
  RequestBodyTooLarge: [413, 'The size of the request body exceeds the maximum size permitted.'],
  ServerBusy: [503, 'The server is currently unable to receive requests. Please retry your request.'],
  TaskCompleted: [409, 'The specified task is already in a completed state.'],
  TaskDependenciesNotSpecifiedOnJob: [
    400,
    'A task was specified as depending on other tasks, but the job did not specify that it would use task dependencies.',
  ],
  TaskExists: [409, 'The specified task already exists.'],
  TaskFilesCleanedup: [409, 'The files of the specified task are cleaned up.'],
  TaskFilesUnavailable: [409, 'The files of the specified task are unavailable.'],
  TaskNotCompleted: [
    409,
    'The specified task is not in a completed state, and the requested operation can be performed only on completed tasks.',
  ],
  TaskNotFound: [404, 'The specified task does not exist.'],
  TaskSucceeded: [
    409,
    'The specified task has already completed successfully, and the requested operation cannot be performed on successful tasks.',
  ],
  TooManyRequests: [429, 'Too many requests were sent in a short time. Please retry your request later.'],
  UnsupportedProperty: [400, 'One of the properties specified in the request body is not supported.'],
  UnsupportedRequestVersion: [400, 'The specified request version is not supported.'],
} as const satisfies Record<string, readonly [status: number, sentence: string]>;

export type BatchErrorCode = keyof typeof catalogue;

/** One `{key, value}` of an error's `values`, as the service names them. */
export interface ErrorDetail {
  readonly key: string;
  readonly value: string;
}

/** An error that is answered on the wire as the Batch service would. */
export class BatchError extends Error {
  readonly status: number;

  constructor(
    readonly code: BatchErrorCode,
    readonly values: readonly ErrorDetail[] = [],
  ) {
    super(catalogue[code][1]);
    this.status = catalogue[code][0];
  }
}

/** A body property whose value is not acceptable. The value itself is left out: it may be a secret. */
export const invalidProperty = (name: string, reason: string): BatchError =>
  new BatchError('InvalidPropertyValue', [
    { key: 'PropertyName', value: name },
    { key: 'Reason', value: reason },
  ]);

export const invalidQuery = (name: string, value: string, reason: string): BatchError =>
  new BatchError('InvalidQueryParameterValue', [
    { key: 'QueryParameterName', value: name },
    { key: 'QueryParameterValue', value },
    { key: 'Reason', value: reason },
  ]);

/** The error's body without the envelope: what `addtaskcollection` puts beside each refused task. */
export function errorBody(error: BatchError, requestId: string = randomUUID()): Record<string, unknown> {
  return {
    code: error.code,
    message: {
      lang: 'en-US',
      value: `${error.message}\nRequestId:${requestId}\nTime:${new Date().toISOString().replace('Z', '0000Z')}`,
    },
    ...(error.values.length > 0 && { values: error.values }),
  };
}
