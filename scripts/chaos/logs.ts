import { readFile } from 'node:fs/promises';
import type { PartName } from '../local/stack/plan.js';

const unhandled = /Unhandled rejection|Uncaught exception|UnhandledPromise/;
/** An SDK's error holds its request, and with that whatever secret it carried. */
const raw = /RestError|ClientRequest|IncomingMessage|authorization:/i;
const frame = /^\s+at \S/;
/** An error of ours that the host tells of: a failure with code and stage, thrown to be tried again. */
const ours = /TransientError: [A-Z]\w+ \(\w+\b/;

/**
 * What no part may ever print: an error that nobody handled, one of an SDK as it is, a stack that is not of an error
 * which is ours and told as such.
 *
 * @returns a sentence for each kind of bad line, with the first of them.
 */
export function auditLog(part: string, text: string): readonly string[] {
  const lines = text.split('\n');
  const bad = new Map<string, string[]>();
  const note = (what: string, line: string): void => {
    bad.set(what, [...(bad.get(what) ?? []), line.trim()]);
  };
  for (const [index, line] of lines.entries()) {
    if (unhandled.test(line)) note('an error that nobody handled', line);
    if (raw.test(line)) note('a raw error of an SDK', line);
    const head = lines[index - 1] ?? '';
    if (frame.test(line) && !frame.test(head) && !ours.test(head)) note('a stack trace', head);
  }
  return [...bad].map(
    ([what, found]) =>
      `The ${part} printed ${what} (${found.length} times), first: ${found[0]?.slice(0, 300) ?? ''}`,
  );
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
