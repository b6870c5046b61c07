import { type Command, InvalidArgumentError } from 'commander';
import { requestIdPattern } from '../../shared/domain/names.js';

/** What commander makes of texts: what they can't be is told before anybody is called. */

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

export function aNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number.');
}

export function requestId(text: string): string {
  if (requestIdPattern.test(text)) return text;
  throw new InvalidArgumentError(
    'No request has such an id: ids are 1 to 40 of a-z, 0-9 and "-", and start with a letter or digit.',
  );
}

export const requestIds = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  requestId(text),
];

export function tag(text: string): string {
  if (text.indexOf('=') > 0) return text;
  throw new InvalidArgumentError('It must be NAME=VALUE.');
}

/** Gathers `NAME=VALUE`, one by one. */
export function nameValues(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return { ...before, [name]: text.slice(at + 1) };
}

/** For what goes on for long. */
export const addPatience = (command: Command): Command =>
  command.option(
    '--patience <seconds>',
    'how long an app that has gone away is waited for',
    wholeNumber,
    300,
  );

/** @param lines without the name of the program. */
export const addExamples = (command: Command, lines: readonly string[], before = ''): Command =>
  command.addHelpText('after', () => {
    const examples = lines.map(line => line.replace('$0', programName(command)));
    return `${before === '' ? '' : `\n${before}\n`}\nExamples:\n${examples.map(line => `  ${line}`).join('\n')}`;
  });

export function programName(command: Command): string {
  let top = command;
  while (top.parent) top = top.parent;
  return top.name();
}
