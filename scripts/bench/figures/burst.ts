import { type FloorDrain, measureFloorDrain } from '../contenders/floor-drain.js';
import { type Burst, milestones, playBurst } from '../crowd/burst.js';
import type { Bench, Cell, Figure, Goal, Measured } from '../figure.js';
import { percentile } from '../statistics.js';

/** The product's default; what is measured in haste gets a hasty one. */
const watchSecondsOf = ({ scale }: Bench): number => ({ full: 5, quick: 1, tiny: 0.3 })[scale.name];

interface Size {
  readonly count: number;
  readonly floor: FloorDrain;
  readonly burst: Burst;
}

/** Many pipelines ask for an agent at the same moment: how long until all have had theirs and nothing is left. */
export const burst: Figure = {
  name: 'burst',
  measure: async bench => {
    const watchSeconds = watchSecondsOf(bench);
    const sizes: Size[] = [];
    for (const count of bench.scale.endToEnd) {
      bench.say(`${count} messages, the floor`);
      const floor = await measureFloorDrain(bench.folder(`floor-${count}`), count, bench.signal);
      bench.say(`${count} requests, ours`);
      const played = await playBurst({
        folder: bench.folder(`ours-${count}`),
        count,
        watchSeconds,
        signal: bench.signal,
        say: bench.say,
      });
      sizes.push({ count, floor, burst: played });
    }
    return show(sizes, watchSeconds);
  },
};

function show(sizes: readonly Size[], watchSeconds: number): Measured {
  // Smaller ones only show where the curves come from.
  const [first, last = first] = sizes.slice(-2);
  if (!first || !last) throw new Error('There is no burst to measure.');
  const bursts = sizes.map(size => size.burst);
  return {
    title: 'Bursts, end to end: every pipeline asks for its agent at the same moment',
    columns: [
      { key: 'requests', title: 'at once' },
      { key: 'contender', title: '' },
      { key: 'seconds', title: 'total', unit: 's' },
      { key: 'rate', title: 'rate', unit: '/s' },
      { key: 'ofFloor', title: "of the floor's" },
      { key: 'releasedP50', title: 'until released, p50', unit: 'ms' },
      { key: 'releasedP95', title: 'p95', unit: 'ms' },
      { key: 'toTaskP50', title: 'asked → Batch task, p50', unit: 'ms' },
      { key: 'toTaskP95', title: 'p95', unit: 'ms' },
      { key: 'late', title: 'answered after 20 s' },
      { key: 'lost', title: 'lost' },
      { key: 'doubled', title: 'doubled' },
      { key: 'left', title: 'left behind' },
      { key: 'peakMb', title: 'app memory, peak', unit: 'MB' },
      { key: 'overIdleMb', title: 'over idle', unit: 'MB' },
      { key: 'cpuMs', title: 'CPU of all parts a request', unit: 'ms' },
    ],
    rows: sizes.flatMap(rowsOf),
    goals: [
      drainGoal(first),
      {
        text: 'none lost, none doubled, nothing left behind',
        measured: bursts
          .map(
            ({ count, verdict }) =>
              `of ${count}: ${verdict.lost.length}, ${verdict.doubled.length}, ${verdict.left.length}`,
          )
          .join('; '),
        holds: bursts.every(({ verdict }) => Object.values(verdict).every(({ length }) => length === 0)),
      },
      {
        text: `burst of ${first.count}: memory of the app < 400 MB`,
        measured: `${Math.round(first.burst.memory.peakMb)} MB`,
        holds: first.burst.memory.peakMb < 400,
      },
      growthGoal(first, last),
    ],
    curves: [
      curve('burst-seconds', 'Bursts, end to end: total time', 'seconds', sizes, total => total.seconds),
      curve(
        'burst-rate',
        'Bursts, end to end: rate',
        'requests or messages a second',
        sizes,
        total => total.rate,
      ),
    ],
    notes: [
      'A pipeline asks by AzureFunction@1 in callback mode, its job runs on its agent alone and does nothing, and all is ' +
        'cleaned up; total: until the last request has ended. All parts share this machine.',
      `The floor receives (32 at a time) and deletes as many messages on storage that does nothing else. The watch looks every ${watchSeconds} s.`,
      'Lost and doubled are told by what Azure DevOps and Batch saw: one task, one agent, one accepted completion, and the ' +
        'job of each pipeline on the agent of its own request.',
      'AzureFunction@1 waits 20 s for its answer. Here it waits longer, as pipelines, agents and services share the ' +
        'machine with the app; how many were answered later is told.',
      ...bursts.flatMap(({ verdict, count }) =>
        [...verdict.lost, ...verdict.doubled, ...verdict.left]
          .slice(0, 3)
          .map(each => `Of ${count}: ${each}`),
      ),
      ...bursts.map(whereTheTimeGoes),
      ...bursts.map(whoseCpu),
    ],
  };
}

function rowsOf({ count, floor, burst: played }: Size): readonly Readonly<Record<string, Cell>>[] {
  const ours = oursOf(played);
  const bare = floorOf(count, floor);
  const { released } = played.since;
  return [
    {
      requests: count,
      contender: 'ours',
      seconds: round(ours.seconds, 1),
      rate: round(ours.rate, 1),
      ofFloor: round(ours.rate / bare.rate, 3),
      releasedP50: percentileOf(released, 50),
      releasedP95: percentileOf(released, 95),
      toTaskP50: percentileOf(played.toTaskMs, 50),
      toTaskP95: percentileOf(played.toTaskMs, 95),
      late: played.late,
      lost: played.verdict.lost.length,
      doubled: played.verdict.doubled.length,
      left: played.verdict.left.length,
      peakMb: Math.round(played.memory.peakMb),
      overIdleMb: Math.round(played.memory.peakMb - played.memory.baselineMb),
      cpuMs: cpuMsOf(played),
    },
    {
      requests: count,
      contender: 'floor',
      seconds: round(bare.seconds, 1),
      rate: round(bare.rate, 1),
      ofFloor: 1,
    },
  ];
}

/** Time that is lost to others on the machine is not in it: it shows growth where seconds are too noisy to. */
function cpuMsOf({ count, cpuSeconds }: Burst): Cell {
  const seconds = Object.values(cpuSeconds);
  if (seconds.length === 0) return undefined;
  return round((seconds.reduce((sum, each) => sum + each, 0) * 1_000) / count, 1);
}

interface Total {
  readonly seconds: number;
  readonly rate: number;
}

/** Requests that came through count; those that were lost made nothing quicker. */
function oursOf({ totalSeconds, since }: Burst): Total {
  return { seconds: totalSeconds, rate: totalSeconds > 0 ? since.ended.length / totalSeconds : 0 };
}
const floorOf = (count: number, { drainSeconds }: FloorDrain): Total => ({
  seconds: drainSeconds,
  rate: count / drainSeconds,
});

function drainGoal({ count, floor, burst: played }: Size): Goal {
  const ratio = oursOf(played).rate / floorOf(count, floor).rate;
  return {
    text: `burst of ${count}, end to end: ≥ 0.5 of the floor's drain rate`,
    measured: ratio.toFixed(3),
    holds: ratio >= 0.5,
  };
}

/** How much longer a request takes in the largest burst than in the smallest, beside what the bare work grows by. */
function growthGoal(first: Size, last: Size): Goal {
  const ours = (size: Size): number => size.burst.totalSeconds / size.count;
  const bare = ({ floor, count }: Size): number => (floor.fillSeconds + floor.drainSeconds) / count;
  const grown = ours(last) / ours(first);
  const floorGrown = bare(last) / bare(first);
  return {
    text:
      `from ${first.count} to ${last.count}: time per request grows by < 1.2 × beyond the floor's own growth ` +
      '(its insert and send, and its receive and delete)',
    measured: `${(grown / floorGrown).toFixed(2)} (ours ${grown.toFixed(2)}, floor ${floorGrown.toFixed(2)})`,
    holds: grown / floorGrown < 1.2,
  };
}

function curve(
  name: string,
  title: string,
  unit: string,
  sizes: readonly Size[],
  pick: (total: Total) => number,
): NonNullable<Measured['curves']>[number] {
  return {
    name,
    title,
    x: { title: 'requests at once', log: true },
    y: { title: unit, log: true },
    series: [
      { name: 'ours', points: sizes.map(size => ({ x: size.count, y: pick(oursOf(size.burst)) })) },
      {
        name: 'floor',
        points: sizes.map(size => ({ x: size.count, y: pick(floorOf(size.count, size.floor)) })),
      },
    ],
  };
}

const milestoneNames = {
  accepted: 'accepted',
  task: 'had its Batch task',
  online: 'was online',
  released: 'was released',
  jobDone: 'had run its job',
  ended: 'had ended',
} as const;

const whereTheTimeGoes = ({ count, since }: Burst): string =>
  `Of ${count}, after the burst began, the last ${milestones
    .map(milestone => `${milestoneNames[milestone]} after ${lastOf(since[milestone])}`)
    .join(', ')}.`;

const lastOf = (times: readonly number[]): string =>
  times.length === 0 ? '(none did)' : `${round(Math.max(...times) / 1_000, 1)} s`;

const whoseCpu = ({ count, cpuSeconds }: Burst): string =>
  `CPU seconds of ${count}: ${
    Object.entries(cpuSeconds)
      .map(([part, seconds]) => `${part} ${round(seconds, 1)}`)
      .join(', ') || 'not told by this system'
  } (batch: the agents too).`;

const percentileOf = (values: readonly number[], percent: number): Cell =>
  values.length === 0 ? undefined : Math.round(percentile(values, percent));

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
