import type { Log, LogFields } from '../ports.js';

/**
 * One line of the log.
 *
 * - `json`: `{"message":"…","requestId":"…","attempt":1}`, which a query reads with `parse_json(message)`.
 * - `text`: the message, and its fields at its end: `… [requestId=… attempt=1]`.
 */
export function logLine(format: 'json' | 'text', message: string, fields: LogFields): string {
  const told = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (format === 'json') return JSON.stringify({ message, ...Object.fromEntries(told) });
  if (told.length === 0) return message;
  return `${message} [${told.map(([name, value]) => `${name}=${shown(String(value))}`).join(' ')}]`;
}

const shown = (value: string): string => (/^[\w.:/+-]+$/.test(value) ? value : JSON.stringify(value));

/** Where lines go by their level. */
type Levels = Readonly<Record<'info' | 'warn' | 'error', (line: string) => void>>;

/** @param around what every line is about that does not say otherwise, as it is when the line is written. */
export function linesTo(levels: Levels, format: 'json' | 'text', around: () => LogFields): Log {
  const write =
    (level: keyof Levels) =>
    (message: string, fields?: LogFields): void =>
      levels[level](logLine(format, message, merged(around(), fields)));
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

/** A line about another request than the one that is being worked on is not about the attempt of that one. */
const merged = (around: LogFields, fields: LogFields = {}): LogFields =>
  fields.requestId === undefined || fields.requestId === around.requestId
    ? {
        ...around,
        ...fields,
        requestId: fields.requestId ?? around.requestId,
        attempt: fields.attempt ?? around.attempt,
      }
    : { traceId: around['traceId'], ...fields };
