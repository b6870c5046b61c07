import * as z from 'zod';
import { failureWho } from '../domain/failure-guide/entry.js';
import { failureAreas } from '../domain/failure-guide.js';

/** What one failure code means, and how to mend it. */
export const helpEntrySchema = z.strictObject({
  code: z.string(),
  area: z.enum(failureAreas),
  title: z.string(),
  cause: z.string(),
  remedy: z.string(),
  /** Who can do it. */
  who: z.enum(failureWho),
  /** What the app does about it by itself, and the state that the request is in. */
  follows: z.string(),
});

/**
 * `GET /api/help/{code}` with `Accept: application/json`; a code that is not known gets the general entry, and `404`.
 * Anonymous, as is `GET /api/help`. Without that header both answer with a page.
 */
export type HelpEntry = z.infer<typeof helpEntrySchema>;

/** `GET /api/help` with `Accept: application/json`: all of them, area by area. */
export const helpSchema = z.strictObject({ failures: z.array(helpEntrySchema) });
export type Help = z.infer<typeof helpSchema>;
