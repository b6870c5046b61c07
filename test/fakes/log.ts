import type { Log, LogFields } from '../../shared/ports.js';

export interface FakeLog extends Log {
  /** E.g. `warn: something`. */
  readonly lines: string[];
  /** The fields of each line, in the same order. */
  readonly fields: LogFields[];
}

/** It takes no line about a request that does not say so in its fields: that is how such lines are found. */
export function createFakeLog(): FakeLog {
  const lines: string[] = [];
  const fields: LogFields[] = [];
  const write = (level: string) => (message: string, about?: LogFields) => {
    const named = /\brequest (?!(?:is|stands|table)\b)([a-z0-9][a-z0-9-]*)/i.exec(message)?.[1];
    if (named !== undefined && about?.requestId !== named) {
      throw new Error(
        `This line of the log does not say in its fields that it is about ${named}: ${message}`,
      );
    }
    lines.push(`${level}: ${message}`);
    fields.push(about ?? {});
  };
  return { lines, fields, info: write('info'), warn: write('warn'), error: write('error') };
}
