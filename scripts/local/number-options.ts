import { InvalidArgumentError } from 'commander';

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number.');
  }
  return value;
}

/** Of a clock: negative when it is behind. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value) || Math.abs(value) > 86_400) {
    throw new InvalidArgumentError('It must be a number of seconds, of a day at most.');
  }
  return value;
}
