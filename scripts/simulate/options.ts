import type { Command } from 'commander';
import * as z from 'zod';
import type { FileProblem } from './input-error.js';
import type { Prices } from './prices.js';
import { usualPrices } from './prices.js';
import { type HoursOfDay, usualWorld, type World } from './world.js';

type Usual = World & Prices;
/** Without the seed of the trace: that of a recipe is its own unless told otherwise. */
const usual: Usual = { ...usualWorld, ...usualPrices };

interface WorldOption {
  /** As commander has it: `--boot <minutes>`. */
  readonly flags: string;
  readonly says: string;
  readonly schema: z.ZodType<Partial<Usual>>;
  readonly usually?: string;
}

const number = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, `It must be a number from ${least} to ${most}.`)
    .transform(Number)
    .refine(value => value >= least && value <= most, `It must be a number from ${least} to ${most}.`);

const whole = (least: number, most: number) =>
  number(least, most).refine(Number.isInteger, `It must be a whole number from ${least} to ${most}.`);

function choice<T extends string>(first: T, second: T) {
  return z.enum([first, second], `It must be ${first} or ${second}.`);
}

const hoursOfDay = z
  .string()
  .regex(/^\d{1,2}(\.\d+)?-\d{1,2}(\.\d+)?$/, 'It must be two hours of the day, such as 10-11.5 (UTC).')
  .transform((text): HoursOfDay => {
    const [from = 0, to = 0] = text.split('-').map(Number);
    return { from, to };
  })
  .refine(({ from, to }) => from <= 24 && to <= 24, 'Hours of the day go from 0 to 24.');

/** What can be assumed otherwise; the names of the options are those that the page of the documentation explains. */
const worldOptions: Readonly<Record<string, WorldOption>> = {
  slots: {
    flags: '--slots <number>',
    says: `slots of a node: the pool’s taskSlotsPerNode (default: as the recipe says, else ${usual.slots})`,
    schema: whole(1, 256).transform(slots => ({ slots })),
  },
  fill: {
    flags: '--fill <how>',
    says: 'pack or spread: the pool’s nodeFillType',
    schema: choice('pack', 'spread').transform(fill => ({ fill })),
    usually: usual.fill,
  },
  interval: {
    flags: '--interval <minutes>',
    says: 'between two evaluations; Batch allows no less than 5',
    schema: number(5, 10_080).transform(intervalMinutes => ({ intervalMinutes })),
    usually: String(usual.intervalMinutes),
  },
  firstEvaluation: {
    flags: '--first-evaluation <minutes>',
    says: 'when the first one is (default: as the seed has it)',
    schema: number(0, 10_080).transform(firstEvaluationMinutes => ({ firstEvaluationMinutes })),
  },
  resize: {
    flags: '--resize <seconds>',
    says: 'from an evaluation to the machines being there, and being paid for',
    schema: number(0, 3600).transform(resizeSeconds => ({ resizeSeconds })),
    usually: String(usual.resizeSeconds),
  },
  whileResizing: {
    flags: '--while-resizing <what>',
    says: 'replace: an evaluation changes the target of a resize that goes on; wait: it is left out',
    schema: choice('replace', 'wait').transform(whileResizing => ({ whileResizing })),
    usually: usual.whileResizing,
  },
  removal: {
    flags: '--removal <which>',
    says: 'idle-first or any: nodes that go where several may',
    schema: choice('idle-first', 'any').transform(removal => ({ removal })),
    usually: usual.removal,
  },
  boot: {
    flags: '--boot <minutes>',
    says: 'of a node, half of them longer; without the image',
    schema: number(0, 120).transform(bootMinutes => ({ bootMinutes })),
    usually: String(usual.bootMinutes),
  },
  bootSpread: {
    flags: '--boot-spread <share>',
    says: 'two thirds of them boot within this share of it, up and down',
    schema: number(0, 5).transform(bootSpread => ({ bootSpread })),
    usually: String(usual.bootSpread),
  },
  pull: {
    flags: '--pull <seconds>',
    says: 'of the agent’s image, once on each node',
    schema: number(0, 3600).transform(pullSeconds => ({ pullSeconds })),
    usually: String(usual.pullSeconds),
  },
  start: {
    flags: '--start <seconds>',
    says: 'from a slot being free to the container running',
    schema: number(0, 3600).transform(startSeconds => ({ startSeconds })),
    usually: String(usual.startSeconds),
  },
  register: {
    flags: '--register <seconds>',
    says: 'from then to the agent being online',
    schema: number(0, 3600).transform(registerSeconds => ({ registerSeconds })),
    usually: String(usual.registerSeconds),
  },
  sampleDelay: {
    flags: '--sample-delay <seconds>',
    says: 'until a sample of the metrics can be read',
    schema: number(0, 3600).transform(sampleDelaySeconds => ({ sampleDelaySeconds })),
    usually: String(usual.sampleDelaySeconds),
  },
  sampleLoss: {
    flags: '--sample-loss <share>',
    says: 'share of the samples that never come',
    schema: number(0, 1).transform(sampleLoss => ({ sampleLoss })),
    usually: String(usual.sampleLoss),
  },
  evictions: {
    flags: '--evictions <rate>',
    says: 'Spot nodes taken back, per hour that a node lives',
    schema: number(0, 1000).transform(evictionsPerHour => ({ evictionsPerHour })),
    usually: String(usual.evictionsPerHour),
  },
  spotShort: {
    flags: '--spot-short <hours...>',
    says: 'hours of each day in which no Spot node is to be had, such as 10-11 (UTC)',
    schema: z.array(hoursOfDay).transform(spotShort => ({ spotShort })),
  },
  quotaSpot: {
    flags: '--quota-spot <nodes>',
    says: 'Spot nodes that the account may have',
    schema: whole(0, 100_000).transform(quotaSpot => ({ quotaSpot })),
  },
  quotaDedicated: {
    flags: '--quota-dedicated <nodes>',
    says: 'dedicated nodes that the account may have',
    schema: whole(0, 100_000).transform(quotaDedicated => ({ quotaDedicated })),
  },
  priceSpot: {
    flags: '--price-spot <usd>',
    says: 'of a Spot node’s hour; an assumption: see the list prices of your region',
    schema: number(0, 10_000).transform(priceSpot => ({ priceSpot })),
    usually: String(usual.priceSpot),
  },
  priceDedicated: {
    flags: '--price-dedicated <usd>',
    says: 'of a dedicated node’s hour; likewise',
    schema: number(0, 10_000).transform(priceDedicated => ({ priceDedicated })),
    usually: String(usual.priceDedicated),
  },
};

export function addWorldOptions(command: Command): Command {
  for (const { flags, says, usually } of Object.values(worldOptions)) {
    command.option(flags, usually === undefined ? says : `${says} (default: ${usually})`);
  }
  return command.option('--no-prefetch', 'the pool does not pull the image before a node runs tasks');
}

const Seed = whole(0, 2 ** 31 - 1);
const Days = number(0.01, 3660);

/** Everything that options say, with everything that is wrong with them. */
export function readOptions(given: Readonly<Record<string, unknown>>): {
  readonly assumed: Usual;
  readonly traceSeed: number | undefined;
  readonly days: number | undefined;
  readonly parameters: ReadonlyMap<string, number>;
  readonly problems: readonly FileProblem[];
} {
  const problems: FileProblem[] = [];
  const read = <T>(name: string, schema: z.ZodType<T>): T | undefined => {
    if (given[name] === undefined) return undefined;
    const result = schema.safeParse(given[name]);
    if (result.success) return result.data;
    const flag = `--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
    const shown = [given[name]].flat().map(String).join(' ');
    problems.push({
      file: `${flag} ${shown}`,
      cause: result.error.issues[0]?.message ?? 'It is not understood.',
    });
    return undefined;
  };
  let assumed = usual;
  for (const [name, { schema }] of Object.entries(worldOptions)) {
    assumed = { ...assumed, ...read(name, schema) };
  }
  if (given['prefetch'] === false) assumed = { ...assumed, prefetch: false };
  const traceSeed = read('seed', Seed);
  if (traceSeed !== undefined) assumed = { ...assumed, seed: traceSeed };
  const parameters = new Map<string, number>();
  for (const text of z.array(z.string()).catch([]).parse(given['set'])) {
    const { name, value } = /^(?<name>[A-Za-z_]\w*)=(?<value>-?\d+(?:\.\d+)?)$/.exec(text)?.groups ?? {};
    if (name === undefined) problems.push({ file: `--set ${text}`, cause: 'It must be name=number.' });
    else parameters.set(name, Number(value));
  }
  return { assumed, traceSeed, days: read('days', Days), parameters, problems };
}
