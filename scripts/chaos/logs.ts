import { readFile } from 'node:fs/promises';
import type { PartName } from '../local/stack/plan.js';

/** What no part may ever print. */
const bad = [
  {
    what: 'an error that nobody handled',
    pattern: /Unhandled rejection|Uncaught exception|UnhandledPromise/,
  },
  // An SDK's error holds the request, and with it whatever secret that carried.
  { what: 'a raw SDK error', pattern: /RestError|"?(request|body)"?: \{|agent: \[?Agent|ClientRequest/ },
  { what: 'a stack trace', pattern: /^\s+at .+:\d+:\d+\)?$/ },
] as const;

/** @returns a sentence for each kind of bad line in the log of a part, with the first of them. */
export function auditLog(part: string, text: string): readonly string[] {
  const lines = text.split('\n');
  return bad.flatMap(({ what, pattern }) => {
    const found = lines.filter(line => pattern.test(line));
    return found[0] === undefined
      ? []
      : [`The ${part} printed ${what} (${found.length} lines), first: ${found[0].trim().slice(0, 300)}`];
  });
}

export async function auditLogs(
  parts: readonly PartName[],
  logFile: (part: PartName) => string,
): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const part of parts) {
    findings.push(...auditLog(part, await readFile(logFile(part), 'utf8').catch(() => '')));
  }
  return findings;
}
