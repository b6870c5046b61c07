import * as z from 'zod';

/**
 * What a test process tells about itself while it runs, one JSON line each, appended at once: so what is known of
 * a process that was killed, crashed or left early is everything up to that moment.
 */
const suite = z.int().min(0);
const test = z.int().min(0);

export const TestEvent = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('suite'), suite, name: z.string() }),
  /** A test was declared; `only` means that its suite will run just those. */
  z.strictObject({ type: z.literal('test'), suite, test, name: z.string(), only: z.boolean() }),
  z.strictObject({ type: z.literal('skip'), suite, name: z.string() }),
  /** `.run()` was called: the tests declared until now will run. */
  z.strictObject({ type: z.literal('run'), suite }),
  z.strictObject({ type: z.literal('start'), suite, test }),
  z.strictObject({ type: z.literal('pass'), suite, test }),
  z.strictObject({ type: z.literal('fail'), suite, test, message: z.string() }),
  /** A hook threw; `test` is the one it was for, absent for `before` and `after`. */
  z.strictObject({
    type: z.literal('hook'),
    suite,
    test: test.optional(),
    hook: z.string(),
    message: z.string(),
  }),
  /** Every suite that was run is through. */
  z.strictObject({ type: z.literal('end') }),
  /** The process would not end by itself, because these are still open. */
  z.strictObject({ type: z.literal('open'), resources: z.array(z.string()) }),
]);
export type TestEvent = z.infer<typeof TestEvent>;

/** Reads the lines that were written whole; the last one may be cut short by a kill. */
export function parseEvents(text: string): TestEvent[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => TestEvent.parse(JSON.parse(line)));
}
