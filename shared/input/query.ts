import * as z from 'zod';
import { requestStates } from '../domain/request.js';
import type { FieldError } from './field-error.js';
import type { Parsed } from './read-json.js';

/** A decimal number; NaN for whatever else JavaScript would make a number of, such as `0x10` or a blank. */
const toNumber = (text: unknown): unknown =>
  typeof text === 'string' ? (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN) : text;

/** Shorter than any gateway's patience. */
const longestWaitSeconds = 25;
const noWait = `must be a number of seconds from 0 to ${longestWaitSeconds}`;
const longestHours = 168;
const noHours = `must be a whole number from 1 to ${longestHours}`;
const noTop = 'must be a whole number from 1 to 200';

const profile = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,19}$/, 'must be the name of a profile')
  .optional()
  .meta({ description: 'Only requests of this profile.', examples: ['ubuntu'] });

const noTag = 'must be the name of a tag, "=" and its value';

/** The first `=` ends the name. */
const tag = z
  .string()
  .regex(/^[^=]{1,64}=[\s\S]{0,512}$/, noTag)
  .transform(text => ({ name: text.slice(0, text.indexOf('=')), value: text.slice(text.indexOf('=') + 1) }))
  .optional()
  .meta({ description: 'Only requests with this tag, as `NAME=VALUE`.', examples: ['team=payments'] });

const page = {
  top: z
    .preprocess(toNumber, z.int(noTop).min(1, noTop).max(200, noTop))
    .optional()
    .meta({ description: 'At most so many; 50 without it.', examples: [50] }),
  continuation: z
    .string()
    .optional()
    .meta({ description: 'What the page before answered as `continuation`: gives the next one.' }),
};

const seconds = (description: string) =>
  z
    .preprocess(toNumber, z.number(noWait).min(0, noWait).max(longestWaitSeconds, noWait))
    .optional()
    .meta({ description, examples: [20] });

/** `GET agents/{requestId}` */
export const requestQuerySchema = z.object({
  wait: seconds('Seconds to wait for a change of state; answered early when there is one.'),
});

/** `GET agents` */
export const requestListQuerySchema = z.object({
  state: z
    .enum(requestStates, `must be one of ${requestStates.join(', ')}`)
    .optional()
    .meta({ description: 'Only requests in this state.', examples: ['busy'] }),
  profile,
  tag,
  ...page,
});

/** `GET deadletters` */
export const deadLetterListQuerySchema = z.object({
  code: z
    .string()
    .regex(/^[A-Za-z0-9]{1,64}$/, 'must be the code of a failure')
    .optional()
    .meta({ description: 'Only those with this `failure.code`.', examples: ['PoolMissing'] }),
  profile,
  tag,
  ...page,
});

/** `GET overview` */
export const overviewQuerySchema = z.object({
  hours: z
    .preprocess(toNumber, z.int(noHours).min(1, noHours).max(longestHours, noHours))
    .optional()
    .meta({ description: 'Count what was asked for in so many hours; 24 without it.', examples: [24] }),
  profile,
  tag,
});

/** `GET events` */
export const eventsQuerySchema = z.object({
  after: z
    .string()
    .optional()
    .meta({ description: 'What the answer before gave as `next`; without it: from now on.' }),
  wait: seconds('Seconds to wait for something to happen; answered early when it does.'),
});

/**
 * Reads the parameters that a route knows; others, such as a function key, are none of its business. Of one that comes
 * twice the first counts.
 *
 * @returns the values, or one thing that is wrong for each parameter.
 */
export function readQuery<T>(
  query: { get(name: string): string | null },
  schema: z.ZodType<T> & { readonly shape: Readonly<Record<string, unknown>> },
): Parsed<T> {
  const given = Object.keys(schema.shape).map(name => [name, query.get(name) ?? undefined] as const);
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return { ok: true, value: parsed.data };
  const errors = parsed.error.issues.map(
    ({ path, message }): FieldError => ({ in: 'query', name: path.map(String).join('.'), detail: message }),
  );
  return {
    ok: false,
    errors: errors.filter(({ name }, index) => errors.findIndex(each => each.name === name) === index),
  };
}
