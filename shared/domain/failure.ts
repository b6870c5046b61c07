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

/**
 * Thrown by adapters for what is worth retrying (timeouts, throttling, outages). It crosses the orchestration's
 * history as text, so its message carries the failure in a form that {@link failureFromText} reads back.
 */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  readonly failure: Failure;
  /** How long the service asked to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, stage: Stage, message: string, retryAfterMs?: number) {
    super(`${code} (${stage}): ${message}`);
    this.failure = { code, stage, message, retryable: true };
    this.retryAfterMs = retryAfterMs;
  }
}

const asText = /\b([A-Z][A-Za-z0-9]{2,60}) \(([a-zA-Z]+)\): ([\s\S]*)/;

/**
 * Reads a failure back from the text of an error that crossed a host.
 *
 * @param text an error's message, perhaps wrapped by the host in words of its own.
 * @param stage the stage to blame when the text names none.
 */
export function failureFromText(text: string, stage: Stage): Failure {
  const match = asText.exec(text);
  const named = match?.[2];
  const known = stages.find(each => each === named);
  if (match?.[1] && match[3] && known) {
    return { code: match[1], stage: known, message: firstLine(match[3]), retryable: true };
  }
  return {
    code: 'InternalError',
    stage,
    message: `An internal step failed: ${firstLine(text)}`,
    retryable: true,
  };
}

/** Shortens a text for a row or a log line; whoever needs it whole finds it where it came from. */
export function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

const firstLine = (text: string): string => shorten(text.split('\n', 1)[0]?.trim() ?? '', 500);
