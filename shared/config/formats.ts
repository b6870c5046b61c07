import * as z from 'zod';
import { isLoopbackHost } from '../domain/plan-url.js';

/** The forms that settings have, whatever they mean. */

/** https, or http where nothing leaves the machine; nothing in it that is not an address. */
export const serviceUrl = z
  .string()
  .refine(isServiceUrl, 'must be an https URL without user name, query and fragment');

export function isServiceUrl(text: string): boolean {
  try {
    const url = new URL(text);
    const isAddress = !url.username && !url.password && !url.search && !url.hash;
    return (
      isAddress && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)))
    );
  } catch {
    return false;
  }
}

export const base64Key = (bytes: number): z.ZodType<string> =>
  z.string().refine(text => isBase64(text) && Buffer.from(text, 'base64').length >= bytes, 'must be base64');

const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0;

export const tokenKeys = z
  .string()
  .transform(text => text.split(',').map(key => key.trim()))
  .refine(
    keys => keys.length <= 2 && keys.every(key => isBase64(key) && Buffer.from(key, 'base64').length === 32),
    'must be 32 bytes in base64, or two such keys separated by a comma, the newest first',
  )
  .transform(keys => keys.map((key): Uint8Array => Buffer.from(key, 'base64')));

export const trueOrFalse = z
  .string()
  .regex(/^(?:true|false)$/i, 'must be true or false')
  .transform(text => text.toLowerCase() === 'true');

export const commaSeparated = (item: z.ZodType<string, string>): z.ZodType<string[]> =>
  z
    .string()
    .transform(text =>
      text
        .split(',')
        .map(part => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item).min(1));

export function json<T>(schema: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** A text that is a number, in words. */
export function aNumber(least: number, most: number): z.ZodType<number> {
  const message = `must be a number from ${least} to ${most}`;
  return z.coerce.number(message).min(least, message).max(most, message);
}
