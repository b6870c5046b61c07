import * as z from 'zod';
import { type Misfit, readDocument } from './document.js';

const clock = z
  .string('It must be a time of the day in quotes, such as "09:30".')
  .regex(/^([01]?\d|2[0-3]):[0-5]\d$/, 'It must be a time of the day, such as "09:30".')
  .transform(text => {
    const [hours = 0, minutes = 0] = text.split(':').map(Number);
    return hours * 60 + minutes;
  });

const ofDay = 'It must have 24 numbers, one for each hour of the day, 0 or more.';
/** A list, or a text of numbers, which may be laid out in lines. */
const perHour = z
  .union(
    [
      z.array(z.number()),
      z.string().transform(text =>
        text
          .trim()
          .split(/\s+/)
          .map(number => (/^\d+(\.\d+)?$/.test(number) ? Number(number) : -1)),
      ),
    ],
    ofDay,
  )
  .refine(numbers => numbers.length === 24 && numbers.every(number => number >= 0), ofDay);

const job = {
  minutes: z.number().positive().max(1440),
  spread: z.number().min(0).max(5).default(0.5),
  slots: z.int().min(1).max(255).default(1),
};

const JobKind = z.strictObject({
  name: z.string(),
  share: z.number().positive(),
  agents: z
    .union([
      z.int().min(1).max(1000),
      z
        .tuple([z.int().min(1), z.int().max(1000)])
        .refine(([least, most]) => least <= most, 'The first must not be more than the second.'),
    ])
    .default(1),
  ...job,
});
export type JobKind = z.infer<typeof JobKind>;

const Burst = z.strictObject({
  days: z.enum(['every day', 'weekdays', 'weekend']).default('every day'),
  at: clock,
  agents: z.int().min(1).max(100_000),
  over: z.number().min(0).max(1440).default(0),
  ...job,
});

/**
 * A trace as a recipe: how many pipelines ask in which hour, and for what. So a year is a page that people can read and
 * change, and the same seed makes the same year. Described in .github/docs/autoscale.md.
 */
const Recipe = z.strictObject({
  made: z.string().optional(),
  start: z.iso.date(),
  days: z.int().min(1).max(3660),
  seed: z.int().min(0),
  weekday: perHour,
  weekend: perHour,
  jobs: z.array(JobKind).min(1),
  bursts: z.array(Burst).default([]),
  /** The pool that such days are for; options say otherwise. */
  pool: z
    .strictObject({
      slots: z.int().min(1).max(256),
      parameters: z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.number()).default({}),
    })
    .optional(),
});
export type Recipe = z.infer<typeof Recipe>;

/** More would not fit into the memory that a process gets. */
const mostRequests = 40_000_000;

/** @throws InputError that names every place */
export function readRecipe(file: string, text: string, slotsOfNode: number): Recipe {
  return readDocument(file, text, Recipe, recipe => misfitsOf(recipe, slotsOfNode));
}

function misfitsOf(recipe: Recipe, slotsOfNode: number): readonly Misfit[] {
  const tooBig = (['jobs', 'bursts'] as const).flatMap(list =>
    recipe[list].flatMap(({ slots }, index) =>
      slots > slotsOfNode
        ? [{ path: [list, index, 'slots'], cause: `No node has ${slots} slots: they have ${slotsOfNode}.` }]
        : [],
    ),
  );
  const expected = Math.ceil(agentsExpected(recipe));
  return expected > mostRequests
    ? [
        ...tooBig,
        { path: ['days'], cause: `These would be some ${expected} requests: ${mostRequests} at most.` },
      ]
    : tooBig;
}

function agentsExpected({ days, weekday, weekend, jobs, bursts }: Recipe): number {
  const shares = jobs.reduce((sum, { share }) => sum + share, 0);
  const perPipeline = jobs.reduce((sum, { share, agents }) => {
    const usual = typeof agents === 'number' ? agents : (agents[0] + agents[1]) / 2;
    return sum + (share / shares) * usual;
  }, 0);
  const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);
  return (
    days *
    (Math.max(sumOf(weekday), sumOf(weekend)) * perPipeline + sumOf(bursts.map(({ agents }) => agents)))
  );
}
