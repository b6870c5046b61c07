import { toTaskOf } from '../crowd/burst.js';
import { openCrowd } from '../crowd/open.js';
import type { Seen } from '../crowd/records.js';
import { besideOneThatWorks, oneByOne, releaseTimes, spreadOverInterval } from '../crowd/release.js';
import type { Bench, Cell, ContenderName, Figure, Goal, Measured, Scale } from '../figure.js';
import { percentile } from '../statistics.js';
import type { AppName } from '../world.js';

interface World {
  readonly app: AppName;
  readonly watchSeconds: number;
  /** Also measures requests one by one, which takes longest. */
  readonly alone: boolean;
}

/** What a pipeline waits for beyond its agent, at the product's own interval and at a short one. */
const worlds: Readonly<Record<Scale['name'], readonly World[]>> = {
  full: [
    { app: 'ours', watchSeconds: 5, alone: false },
    { app: 'ours', watchSeconds: 1, alone: true },
    { app: 'monitor', watchSeconds: 5, alone: false },
  ],
  quick: [
    { app: 'ours', watchSeconds: 1, alone: true },
    { app: 'monitor', watchSeconds: 1, alone: false },
  ],
  tiny: [{ app: 'ours', watchSeconds: 0.3, alone: true }],
};

interface Sample {
  readonly contender: ContenderName;
  readonly watchSeconds: number;
  readonly situation: string;
  readonly releasedMs: readonly number[];
  readonly toTaskMs: readonly number[];
}

/** From agent online to pipeline released, and from asked for to Batch task. */
export const latency: Figure = {
  name: 'latency',
  measure: async bench => {
    const samples: Sample[] = [];
    for (const world of worlds[bench.scale.name]) samples.push(...(await measureWorld(bench, world)));
    return show(samples);
  },
};

/** They take many seconds each, and a few, spread over one long round of the watch, tell what the worst is. */
const besideAtMost = 3;
const toleranceMs = 500;

async function measureWorld(bench: Bench, world: World): Promise<readonly Sample[]> {
  const { app, watchSeconds, alone } = world;
  const { signal, say, scale } = bench;
  const count = scale.idleRequests;
  say(`${app}, watch ${watchSeconds} s`);
  const folder = bench.folder(`${app}-${watchSeconds}`);
  const stack = await openCrowd({ app, folder, agents: count + 1, watchSeconds, signal });
  const sample = (situation: string, seen: Seen): Sample => ({
    contender: app,
    watchSeconds,
    situation,
    releasedMs: releaseTimes(seen),
    toTaskMs: toTaskOf(seen),
  });
  try {
    const samples = [
      sample(
        'together, agents up one after the other',
        await spreadOverInterval(stack, count, watchSeconds, signal),
      ),
    ];
    if (!alone) return samples;
    samples.push(sample('alone', await oneByOne(stack, count, signal)));
    const beside = await besideOneThatWorks(stack, Math.min(count, besideAtMost), watchSeconds, signal);
    return [...samples, sample('beside a long job', beside)];
  } finally {
    await stack.stop();
  }
}

function show(samples: readonly Sample[]): Measured {
  return {
    title: 'How long a pipeline waits beyond its agent, and an agent for its Batch task',
    columns: [
      { key: 'contender', title: '' },
      { key: 'watch', title: 'looks every', unit: 's' },
      { key: 'situation', title: 'requests' },
      { key: 'requests', title: 'number' },
      { key: 'releasedP50', title: 'online → released, p50', unit: 'ms' },
      { key: 'releasedP95', title: 'p95', unit: 'ms' },
      { key: 'toTaskP50', title: 'asked → Batch task, p50', unit: 'ms' },
      { key: 'toTaskP95', title: 'p95', unit: 'ms' },
    ],
    rows: samples.map(rowOf),
    goals: samples.filter(({ contender }) => contender === 'ours').map(goalOf),
    notes: [
      'Online: Azure DevOps opened the first session of the agent; released: it took the completion of the server task; both ' +
        'by its own records. Asked: the call of the pipeline left; Batch task: Batch took it.',
      'Together: all ask at once, and their agents come online at moments spread evenly over one interval.',
      'How long it takes to the Batch task in a burst is told with the bursts.',
    ],
  };
}

function rowOf({
  contender,
  watchSeconds,
  situation,
  releasedMs,
  toTaskMs,
}: Sample): Readonly<Record<string, Cell>> {
  return {
    contender,
    watch: watchSeconds,
    situation,
    requests: releasedMs.length,
    releasedP50: Math.round(percentile(releasedMs, 50)),
    releasedP95: Math.round(percentile(releasedMs, 95)),
    toTaskP50: Math.round(percentile(toTaskMs, 50)),
    toTaskP95: Math.round(percentile(toTaskMs, 95)),
  };
}

function goalOf({ watchSeconds, situation, releasedMs }: Sample): Goal {
  const p95 = Math.round(percentile(releasedMs, 95));
  return {
    text: `agent online → released, ${situation}, watch ${watchSeconds} s: p95 ≤ the interval + ${toleranceMs} ms`,
    measured: `${p95} ms`,
    holds: p95 <= watchSeconds * 1_000 + toleranceMs,
  };
}
