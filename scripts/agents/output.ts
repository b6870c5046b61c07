import Table from 'cli-table3';
import pc from 'picocolors';

/** Results go to stdout, everything else to stderr: a pipe gets what it was made for. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, undefined, 2));
export const remark = (text: string): void => void process.stderr.write(`${text}\n`);

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // Colours are picocolors' business: it knows NO_COLOR and when nobody can see them.
  const drawn = new Table({ head: head.map(name => pc.bold(name)), style: { head: [], border: [] } });
  drawn.push(...rows.map(row => [...row]));
  return drawn.toString();
}

export const shorten = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;

/** `2026-01-31 10:00:00`, UTC. */
export const time = (iso: string | null): string => (iso ?? '–').replace('T', ' ').replace(/\.\d+Z$/, '');

/** `1 dead letter`, `2 dead letters`. */
export const count = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`;
