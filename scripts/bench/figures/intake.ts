import { type Intake, openApp, openFloor } from '../bursts/contenders.js';
import type { Burst } from '../bursts/protocol.js';
import type { Bench, ContenderName, Figure, Goal, Measured } from '../figure.js';
import { median, percentile } from '../statistics.js';

interface Contender {
  readonly name: ContenderName;
  readonly open: (bench: Bench, folder: string) => Promise<Intake>;
}

/** All that are measured side by side, each with the route that it is asked by. */
const contenders: readonly Contender[] = [
  { name: 'ours', open: (bench, folder) => openApp(bench, 'ours', '/api/agents', folder) },
  {
    name: 'article',
    open: (bench, folder) => openApp(bench, 'article', '/api/ProvideAzDOAgent', folder),
  },
  { name: 'monitor', open: (bench, folder) => openApp(bench, 'monitor', '/api/agents', folder) },
  { name: 'floor', open: (bench, folder) => openFloor(bench, folder) },
];

/** A burst meets a world with nothing else to do: at most this share of its own size was asked for before it. */
const askedBefore = 0.05;
/** Smaller bursts are over before what was asked for earlier could get in their way. */
const smallBurst = 100;
/** One call says little: bursts of fewer than ten are made again in each world, when it is quiet again. */
const turnsOf = (burst: number, { repetitions }: Bench['scale']): number => (burst < 10 ? repetitions : 1);

/** How one burst went. */
export interface Sample {
  readonly contender: ContenderName;
  readonly burst: number;
  readonly repetition: number;
  /** Calls in all turns. */
  readonly calls: number;
  readonly acceptedPerSecond: number;
  /** Milliseconds from the moment that the burst was let go. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of processor time that the calling process took for a call. */
  readonly cpuMs: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** How fast so many calls at once are accepted. */
export const intake: Figure = {
  name: 'intake',
  async measure(bench) {
    const { bursts, repetitions } = bench.scale;
    const samples: Sample[] = [];
    for (let repetition = 1; repetition <= repetitions; repetition += 1) {
      for (const [index, shared] of shareWorlds(bursts).entries()) {
        for (const contender of contenders) {
          bench.say(`${contender.name}, ${shared.join(' and ')} at once, ${repetition} of ${repetitions}`);
          const folder = bench.folder(`${contender.name}-${repetition}-${index}`);
          samples.push(...(await measureIn(bench, contender, folder, shared, repetition)));
        }
      }
    }
    return summarise(samples, bursts);
  },
};

async function measureIn(
  bench: Bench,
  { name, open }: Contender,
  folder: string,
  bursts: readonly number[],
  repetition: number,
): Promise<Sample[]> {
  const { burster, settle, end } = await open(bench, folder);
  const samples: Sample[] = [];
  try {
    for (const burst of bursts) {
      const turns: Burst[] = [];
      for (let turn = 1; turn <= turnsOf(burst, bench.scale); turn += 1) {
        await settle();
        turns.push(await burster.burst(burst));
      }
      samples.push(toSample(name, burst, repetition, turns));
    }
  } finally {
    await end();
  }
  return samples;
}

/** @throws when nothing at all was accepted: there is nothing to say about that but why */
function toSample(
  contender: ContenderName,
  burst: number,
  repetition: number,
  turns: readonly Burst[],
): Sample {
  const latenciesMs = turns.flatMap(turn => turn.latenciesMs);
  const errors: Record<string, number> = {};
  for (const [reason, count] of turns.flatMap(turn => Object.entries(turn.errors)))
    errors[reason] = (errors[reason] ?? 0) + count;
  if (latenciesMs.length === 0)
    throw new Error(`No call of ${burst} to ${contender} was accepted: ${Object.keys(errors).join(', ')}.`);
  const total = (pick: (turn: Burst) => number): number => turns.reduce((sum, turn) => sum + pick(turn), 0);
  const calls = burst * turns.length;
  return {
    contender,
    burst,
    repetition,
    calls,
    acceptedPerSecond: latenciesMs.length / (total(turn => turn.elapsedMs) / 1_000),
    p50: percentile(latenciesMs, 50),
    p99: percentile(latenciesMs, 99),
    cpuMs: total(turn => turn.cpuMs) / calls,
    errors,
  };
}

/** Which bursts can follow each other in one world. */
export function shareWorlds(bursts: readonly number[]): readonly (readonly number[])[] {
  const worlds: number[][] = [];
  let asked = 0;
  for (const burst of bursts) {
    const world = worlds.at(-1);
    if (world && (burst < smallBurst || asked <= burst * askedBefore)) {
      world.push(burst);
    } else {
      worlds.push([burst]);
      asked = 0;
    }
    asked += burst;
  }
  return worlds;
}

/** Medians over the repetitions, and how they compare with the floor of the same repetition. */
export function summarise(samples: readonly Sample[], bursts: readonly number[]): Measured {
  const names = [...new Set(samples.map(({ contender }) => contender))];
  const rows = bursts.flatMap(burst =>
    names.map(name => {
      const those = samples.filter(sample => sample.burst === burst && sample.contender === name);
      return {
        burst,
        contender: name,
        acceptedPerSecond: median(those.map(sample => sample.acceptedPerSecond)),
        ofFloor: median(those.map(sample => sample.acceptedPerSecond / floorOf(samples, sample))),
        p50: median(those.map(sample => sample.p50)),
        p99: median(those.map(sample => sample.p99)),
        cpuMs: median(those.map(sample => sample.cpuMs)),
        errors: those.reduce((sum, { errors }) => sum + countOf(errors), 0),
      };
    }),
  );
  const series = (pick: (row: (typeof rows)[number]) => number) =>
    names.map(name => ({
      name,
      points: rows.filter(row => row.contender === name).map(row => ({ x: row.burst, y: pick(row) })),
    }));
  return {
    title: 'Intake: so many calls for an agent at the same moment',
    columns: [
      { key: 'burst', title: 'calls at once' },
      { key: 'contender', title: 'contender' },
      { key: 'acceptedPerSecond', title: 'accepted', unit: '/s' },
      { key: 'ofFloor', title: 'of the floor' },
      { key: 'p50', title: 'p50', unit: 'ms' },
      { key: 'p99', title: 'p99', unit: 'ms' },
      { key: 'cpuMs', title: "caller's CPU", unit: 'ms/call' },
      { key: 'errors', title: 'errors' },
    ],
    rows,
    goals: goals(rows, samples),
    curves: [
      {
        name: 'intake-accepted',
        title: 'Accepted a second, by calls at once',
        x: { title: 'calls at once', log: true },
        y: { title: 'accepted a second' },
        series: series(row => row.acceptedPerSecond),
      },
      {
        name: 'intake-p99',
        title: 'Time to the answer (p99), by calls at once',
        x: { title: 'calls at once', log: true },
        y: { title: 'milliseconds', log: true },
        series: series(row => row.p99),
      },
    ],
    notes: [
      'Medians of the repetitions, which take turns; "of the floor" compares within a repetition. Times count from the ' +
        'moment at which all calls were let go, each with a connection of its own; a first call came before.',
      'The floor is one row of about 1 KB and one message through the same SDKs on the same storage: no HTTP, no key, no ' +
        'checks, no host. It too runs in a process beside storage, so what the SDKs cost is counted on both sides; the ' +
        'others have the calling process on top of that, and share the cores with it.',
      'No agent comes: the Batch pool is empty. Each call is a new request; one that repeats another costs a lookup more.',
    ],
  };
}

type Row = Readonly<Record<'acceptedPerSecond' | 'ofFloor' | 'p99' | 'burst' | 'errors', number>> & {
  readonly contender: ContenderName;
};

function goals(rows: readonly Row[], samples: readonly Sample[]): readonly Goal[] {
  const ours = rows.filter(({ contender }) => contender === 'ours');
  const largest = ours.at(-1);
  if (!largest) return [];
  const errors = ours.reduce((sum, row) => sum + row.errors, 0);
  const asked = samples
    .filter(({ contender }) => contender === 'ours')
    .reduce((sum, { calls: made }) => sum + made, 0);
  const calls = largest.burst.toLocaleString('en-US');
  return [
    {
      text: `intake of ${calls} at once: at least 0.8 of the floor's throughput`,
      measured: `${largest.ofFloor.toFixed(2)} (${Math.round(largest.acceptedPerSecond)}/s)`,
      holds: largest.ofFloor >= 0.8,
    },
    {
      text: `intake of ${calls} at once: p99 under 3 s`,
      measured: `${(largest.p99 / 1_000).toFixed(2)} s`,
      holds: largest.p99 < 3_000,
    },
    { text: 'intake: no errors', measured: `${errors} of ${asked} calls`, holds: errors === 0 },
  ];
}

const countOf = (errors: Sample['errors']): number =>
  Object.values(errors).reduce((sum, count) => sum + count, 0);

function floorOf(samples: readonly Sample[], { burst, repetition }: Sample): number {
  const floor = samples.find(
    sample => sample.contender === 'floor' && sample.burst === burst && sample.repetition === repetition,
  );
  if (!floor) throw new Error(`There is no floor for ${burst} calls at once.`);
  return floor.acceptedPerSecond;
}
