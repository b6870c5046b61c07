import type { Log } from '../../shared/ports.js';

export interface FakeLog extends Log {
  /** E.g. `warn: something`. */
  readonly lines: string[];
}

export function createFakeLog(): FakeLog {
  const lines: string[] = [];
  return {
    lines,
    info: message => void lines.push(`info: ${message}`),
    warn: message => void lines.push(`warn: ${message}`),
    error: message => void lines.push(`error: ${message}`),
  };
}
