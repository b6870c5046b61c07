import { RestError } from '@azure/data-tables';
import { type Stage, TransientError } from '../domain/failure.js';
import { describeNoAnswer, factsOf, isTransientStatus, retryAfterMs } from './service-errors.js';

/**
 * Storage is never the reason to give a request up: whatever it answers, somebody will mend it, and until then the
 * request waits. Only what can never be stored, however often it is tried, is an ordinary error.
 *
 * @param what what could not be done, e.g. `The request table can't be read`.
 */
export function storageError(error: unknown, stage: Stage, what: string): Error {
  if (error instanceof TransientError) return error;
  const { status, code, message, name } = factsOf(error);
  if (status === undefined) {
    const timedOut = name === 'AbortError' || name === 'TimeoutError';
    // Not with the error as its cause: hosts print causes, and this one may hold the request with its signature.
    if (!timedOut && code === undefined) return new Error(`${what}: ${message ?? 'unknown error'}`);
    return new TransientError(
      'StorageUnavailable',
      stage,
      `${what}: ${describeNoAnswer(timedOut ? undefined : code)}.`,
    );
  }
  const answer = `the storage account answered ${status}${code ? ` ${code}` : ''}`;
  if (status === 401 || status === 403) {
    return new TransientError(
      'StorageUnavailable',
      stage,
      `${what}: ${answer}. Check AzureWebJobsStorage, or the roles of this app's identity on the account.`,
    );
  }
  if (isTransientStatus(status) || status === 404 || status === 409 || status === 412) {
    const header = error instanceof RestError ? error.response?.headers.get('retry-after') : undefined;
    return new TransientError(
      'StorageUnavailable',
      stage,
      `${what}: ${answer}.`,
      retryAfterMs(header, new Date()),
    );
  }
  return new Error(`${what}: ${answer}: ${message ?? ''}`);
}
