import { RestError } from '@azure/ms-rest-js';
import * as z from 'zod';
import { type OwnFailure, type Stage, TransientError } from '../domain/failure.js';
import { type FailureCode, remedyFor } from '../domain/failure-guide.js';
import { describeNoAnswer, factsOf, isTransientStatus, retryAfterMs } from './service-errors.js';

/**
 * What a Batch error says. Nothing else of it may go on: the error of the client holds the whole request, and with it
 * the environment of the task and its token.
 */
export interface BatchFacts {
  /** Absent when no answer came. */
  readonly status: number | undefined;
  /** The service's word, e.g. `JobNotFound`, or Node.js's when no answer came, e.g. `ECONNREFUSED`. */
  readonly code: string | undefined;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

export type BatchOutcome =
  | { readonly kind: 'transient'; readonly error: TransientError }
  | { readonly kind: 'permanent'; readonly failure: OwnFailure };

const Body = z.object({
  body: z.object({
    code: z.string().optional().catch(undefined),
    message: z.object({ value: z.string() }).optional().catch(undefined),
    values: z
      .array(z.object({ key: z.string(), value: z.string() }))
      .optional()
      .catch(undefined),
  }),
});

export function batchFacts(error: unknown): BatchFacts {
  const { status, code } = factsOf(error);
  const body = Body.safeParse(error).data?.body;
  const header = error instanceof RestError ? error.response?.headers.get('retry-after') : undefined;
  const details = body?.values?.map(({ key, value }) => `${key}: ${value}`).join('; ');
  return {
    status,
    code: body?.code ?? code,
    message: [body?.message?.value.split('\n', 1)[0]?.trim(), details].filter(Boolean).join(' '),
    retryAfterMs: retryAfterMs(header, new Date()),
  };
}

/** Job states and quotas change by hand or by the day; asking every second would only cost. */
const slowRetryMs = 60_000;

/**
 * What an error of Azure Batch means, once for all calls.
 *
 * @param what what could not be done, e.g. `The task of agent x can't be created`.
 */
export function classifyBatchError(error: unknown, stage: Stage, what: string): BatchOutcome {
  if (error instanceof TransientError) return { kind: 'transient', error };
  const facts = batchFacts(error);
  const { status, code, message } = facts;
  const transient = (name: FailureCode, reason: string, pauseMs = facts.retryAfterMs): BatchOutcome => ({
    kind: 'transient',
    error: new TransientError(name, stage, `${what}: ${reason}`, pauseMs),
  });
  const permanent = (name: FailureCode, reason: string): BatchOutcome => ({
    kind: 'permanent',
    failure: { code: name, stage, message: `${what}: ${reason}`, retryable: false },
  });

  switch (code) {
    case 'JobDisabled':
    case 'JobNotActive':
      return transient(
        'JobDisabled',
        `its Batch job is disabled. ${remedyFor('JobDisabled')}`,
        facts.retryAfterMs ?? slowRetryMs,
      );
    case 'ActiveJobAndScheduleQuotaReached':
      return transient(
        'QuotaReached',
        `the Batch account has as many active jobs and schedules as its quota allows. ${remedyFor('QuotaReached')}`,
        facts.retryAfterMs ?? slowRetryMs,
      );
    case 'PoolNotFound':
      return permanent('PoolMissing', `the Batch pool does not exist. ${remedyFor('PoolMissing')}`);
    case 'PoolBeingDeleted':
      return permanent('PoolMissing', `the Batch pool is being deleted. ${remedyFor('PoolMissing')}`);
    case 'PoolBeingResized':
    case 'JobNotFound':
      return transient('BatchUnavailable', `Azure Batch answered ${code}.`);
    case 'AccountIsDisabled':
      return permanent(
        'BatchAccountDisabled',
        `the Batch account is disabled. ${remedyFor('BatchAccountDisabled')}`,
      );
    case 'AuthenticationFailed':
    case 'AuthorizationFailure':
    case 'AuthorizationPermissionMismatch':
      return permanent('BatchAuthenticationFailed', signInHelp);
    case undefined:
    default:
      break;
  }
  if (status === undefined) {
    const known = code === 'REQUEST_ABORTED_ERROR' || code === 'REQUEST_SEND_ERROR' ? undefined : code;
    const reason = code === 'REQUEST_SEND_ERROR' ? describeNoAnswer('ENOTFOUND') : describeNoAnswer(known);
    return transient('BatchUnavailable', `Azure Batch can't be reached: ${reason}.`);
  }
  if (status === 429) return transient('BatchThrottled', 'Azure Batch asked us to call less often.');
  if (isTransientStatus(status))
    return transient('BatchUnavailable', `Azure Batch answered ${named(facts)}.`);
  if (status === 401 || status === 403) return permanent('BatchAuthenticationFailed', signInHelp);
  if (status >= 200 && status < 400) {
    // Not what Batch answers: a proxy or a wrong address.
    return transient(
      'BatchUnavailable',
      `its address gave an answer that is not from Azure Batch (${status}).`,
    );
  }
  const refused = `Azure Batch refused it with ${named(facts)}. ${message}`.trim();
  return status === 400
    ? permanent('BatchRequestInvalid', `${refused} ${remedyFor('BatchRequestInvalid')}`)
    : permanent('BatchRequestRefused', refused);
}

const signInHelp = `Azure Batch did not accept our sign-in. ${remedyFor('BatchAuthenticationFailed')}`;

const named = ({ status, code }: BatchFacts): string =>
  code === undefined ? String(status) : `${status} ${code}`;
