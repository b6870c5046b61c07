import type { FailureCode } from './failure-guide.js';

/** Where in the life of a request something failed; the order is the order of life. */
export const stages = [
  'intake',
  'createTask',
  'nodeAllocation',
  'container',
  'registration',
  'online',
  'callback',
] as const;
export type Stage = (typeof stages)[number];

/** Why a request failed, as it is stored, shown and told to the pipeline author. */
export interface Failure {
  /** A stable word, e.g. `PoolMissing`: documents and alerts refer to it. */
  readonly code: string;
  readonly stage: Stage;
  /** A sentence for the person who reads it: what happened and what to do. Never a secret. */
  readonly message: string;
  /** Whether another attempt may succeed without anybody changing anything. */
  readonly retryable: boolean;
}

/** A failure that is given here and now, while one that was read may be of another version: its code has a guide. */
export interface OwnFailure extends Failure {
  readonly code: FailureCode;
}

/**
 * Thrown by adapters for what is worth retrying (timeouts, throttling, outages). It crosses the orchestration's
 * history as text, so its message carries the failure in a form that {@link failureFromText} and
 * {@link retryAfterFromText} read back.
 */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  readonly failure: OwnFailure;
  /** How long the service asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureCode, stage: Stage, message: string, retryAfterMs?: number) {
    // Before the message, not after it: hosts cut texts off and add words of their own.
    const pause = retryAfterMs === undefined ? '' : `, retry after ${Math.ceil(retryAfterMs)} ms`;
    super(`${code} (${stage}${pause}): ${message}`);
    this.failure = { code, stage, message, retryable: true };
    this.retryAfterMs = retryAfterMs;
  }
}

const asText = /\b([A-Z][A-Za-z0-9]{2,60}) \(([a-zA-Z]+)(?:, retry after (\d{1,15}) ms)?\): ([\s\S]*)/;

/**
 * Reads a failure back from the text of an error that crossed a host.
 *
 * @param text an error's message, perhaps wrapped by the host in words of its own.
 * @param stage the stage to blame when the text names none.
 */
export function failureFromText(text: string, stage: Stage): Failure {
  const [, code, named, , message] = asText.exec(text) ?? [];
  const known = stages.find(each => each === named);
  if (code && message && known) {
    return { code, stage: known, message: firstLine(message), retryable: true };
  }
  const failure: OwnFailure = {
    code: 'InternalError',
    stage,
    message: `An internal step failed: ${firstLine(text)}`,
    retryable: true,
  };
  return failure;
}

/** How long the service that refused asked to be left alone, in milliseconds; undefined if it did not say. */
export function retryAfterFromText(text: string): number | undefined {
  const pause = asText.exec(text)?.[3];
  return pause === undefined ? undefined : Number(pause);
}

/** Shortens a text for a row or a log line; whoever needs it whole finds it where it came from. */
export function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

const firstLine = (text: string): string => shorten(text.split('\n', 1)[0]?.trim() ?? '', 500);
