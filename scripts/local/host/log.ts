/**
 * The host's log: one readable line per event on stdout, filtered as host.json's `logging.logLevel` says.
 *
 *     2025-11-24T06:06:06.123Z Information Function.hello.User [1b9d6bcd] the message
 */
export const logLevels = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Log {
  write(level: LogLevel, category: string, message: string, invocationId?: string): void;
  enabled(level: LogLevel, category: string): boolean;
}

export function toLogLevel(text: string): LogLevel | undefined {
  const lower = text.toLowerCase();
  return logLevels.find(level => level === lower);
}

/**
 * @param levels minimum level by category prefix; `default` for the rest. The longest matching prefix decides, as in Azure.
 * @param out receives whole lines, and whether they are bad news; tests pass their own.
 */
export function createLog(
  levels: Readonly<Record<string, LogLevel>>,
  out: (line: string, urgent: boolean) => void = bufferedStdout(),
): Log {
  const prefixes = Object.keys(levels)
    .filter(prefix => prefix !== 'default')
    .toSorted((a, b) => b.length - a.length);
  const minimum = new Map<string, number>();

  const minimumOf = (category: string): number => {
    const known = minimum.get(category);
    if (known !== undefined) return known;
    const prefix = prefixes.find(p => category === p || category.startsWith(`${p}.`)) ?? 'default';
    const rank = logLevels.indexOf(levels[prefix] ?? 'information');
    minimum.set(category, rank);
    return rank;
  };

  const enabled = (level: LogLevel, category: string): boolean =>
    level !== 'none' && logLevels.indexOf(level) >= minimumOf(category);

  return {
    enabled,
    write(level, category, message, invocationId) {
      if (!enabled(level, category)) return;
      const name = level.charAt(0).toUpperCase() + level.slice(1);
      const id = invocationId ? ` [${invocationId.slice(0, 8)}]` : '';
      const urgent = logLevels.indexOf(level) >= logLevels.indexOf('warning');
      out(`${new Date().toISOString()} ${name} ${category}${id} ${message}\n`, urgent);
    },
  };
}

/**
 * Writes the lines of one turn of the event loop together, as each write stops the process for a while. Bad news
 * don't wait: nobody who is told of a failure should look for it in vain.
 */
function bufferedStdout(): (line: string, urgent: boolean) => void {
  let lines: string[] = [];
  const flush = (): void => {
    const text = lines.join('');
    lines = [];
    if (text !== '') process.stdout.write(text);
  };
  process.once('exit', flush);
  return (line, urgent) => {
    if (lines.length === 0 && !urgent) setImmediate(flush);
    lines.push(line);
    if (urgent) flush();
  };
}

export const errorText = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** An answer of storage in one line; any other error, which should not be, with its stack. */
export const describeError = (error: unknown): string =>
  error instanceof Error && 'statusCode' in error
    ? `storage answered ${String(error.statusCode)}${'code' in error ? ` ${String(error.code)}` : ''}`
    : errorText(error);

export const errorMessage = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
