import * as z from 'zod';

const Pattern = z.string().superRefine((source, context) => {
  try {
    RegExp(source);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
});

const Milliseconds = z.int().min(0).max(600_000);

/** One way in which a stand-in is to misbehave. Of several rules that match a call, the first that bites is done. */
export const FaultRule = z.strictObject({
  /** Shown in the log of bites; absent: the preset, else the call. */
  name: z.string().min(1).max(100).optional(),
  /** The preset (see the stand-in's table) that gave what the rule itself did not say. */
  preset: z.string().optional(),

  /** `METHOD route` as calls are counted; `*` stands for any run of characters. */
  call: z.string().min(1),
  /** Regular expression that the path and query as they were sent must match. */
  url: Pattern.optional(),
  /** Text that the User-Agent must contain. */
  client: z.string().optional(),
  /** Regular expression that the request's body (JSON as compact text) must match. */
  content: Pattern.optional(),

  /** Let this many matching calls pass before the rule bites. */
  after: z.int().min(0).default(0),
  /** Bite at most this often; absent: for ever. */
  count: z.int().min(1).optional(),
  /** Bite only for so long after the first matching call, in milliseconds. */
  forMs: Milliseconds.optional(),
  /**
   * Count `after`, `count` and `forMs` anew for each value of this path parameter (`jobId`, `planId`, …), or of
   * the whole `url`: `count: 2, each: "jobId"` hits the first two calls about every job.
   */
  each: z.string().min(1).optional(),
  /** Chance of each bite, 0 to 1. */
  probability: z.number().min(0).max(1).default(1),

  /** Wait before anything else happens. */
  delayMs: Milliseconds.default(0),
  /** Keep the answer back for so long once the call has taken effect. */
  holdMs: Milliseconds.default(0),
  /**
   * `before`: the call has no effect. `commit`: it takes effect and then fails. `none`: it takes effect and its own
   * answer is sent, delayed, and with the rule's headers added (`Retry-After` on a 200).
   */
  when: z.enum(['before', 'commit', 'none']).default('before'),
  /** HTTP status to answer with; 0 resets the connection. */
  status: z.int().min(0).max(599).default(500),
  /** Never answer: the client must give up. */
  hang: z.boolean().default(false),
  headers: z.record(z.string(), z.string()).default({}),
  /** Sent as it is when a string, else as JSON. Absent: the preset's, else none. */
  body: z.unknown().optional(),
});
export type FaultRule = z.infer<typeof FaultRule>;

/** A fault under a name, with the answer that the real service gives. What a rule says itself goes before it. */
export interface Preset {
  readonly about: string;
  readonly rule: z.input<typeof FaultRule> | Omit<z.input<typeof FaultRule>, 'call'>;
  /** Made for each bite: real answers hold ids and times, and differ by what was called. */
  readonly body?: (call: string) => unknown;
}
export type Presets = Readonly<Record<string, Preset>>;

/** What every service can do. */
export const commonPresets: Presets = {
  reset: { about: 'The connection breaks; the call had no effect.', rule: { status: 0 } },
  resetAfterCommit: {
    about: 'The call takes effect and the connection breaks before the answer.',
    rule: { status: 0, when: 'commit' },
  },
  hang: { about: 'No answer, ever; the call had no effect.', rule: { hang: true } },
  hangAfterCommit: { about: 'The call takes effect; no answer, ever.', rule: { hang: true, when: 'commit' } },
  slow: { about: 'The answer comes 3 s late (`holdMs`).', rule: { when: 'none', holdMs: 3_000 } },
  retryAfterOnSuccess: {
    about: "The call's own answer, with `Retry-After: 2`.",
    rule: { when: 'none', headers: { 'retry-after': '2' } },
  },
};

const GivenRule = z.looseObject({
  preset: z.string().optional(),
  headers: z.record(z.string(), z.string().nullable()).optional(),
});

/**
 * Decodes rules, each with what its preset adds. Headers are joined; a header given as null takes the preset's away.
 *
 * @throws {z.ZodError}
 */
export function readRules(given: unknown, presets: Presets): FaultRule[] {
  const known = z.array(GivenRule).parse(given);
  return z.array(FaultRule).parse(
    known.map((rule, index) => {
      if (rule.preset !== undefined && !Object.hasOwn(presets, rule.preset)) {
        const message = `There is no preset ${rule.preset}: there are ${Object.keys(presets).join(', ')}.`;
        throw new z.ZodError([{ code: 'custom', path: [index, 'preset'], message, input: rule.preset }]);
      }
      const preset = rule.preset === undefined ? undefined : presets[rule.preset];
      const headers = Object.entries({ ...preset?.rule.headers, ...rule.headers }).filter(
        ([, value]) => value !== null,
      );
      return { ...preset?.rule, ...rule, headers: Object.fromEntries(headers) };
    }),
  );
}

/** `*` stands for any run of characters; case does not count. */
export const glob = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map(part => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
    'i',
  );
