import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Bundle, bundleApp } from '../../package/bundle-app.js';
import { root } from '../../root.js';
import type { Bench, Cell, Figure, Goal, Measured } from '../figure.js';
import { type Loaded, loadOnce } from '../loading/load-once.js';

const goalRatio = 0.4;
const goalOverBareMs = 250;

/** What a new instance of the app takes until it can be called, packaged and as it is compiled. */
export const loading: Figure = {
  name: 'loading',
  async measure(bench: Bench): Promise<Measured> {
    const folder = bench.folder('packaged');
    bench.say('Bundling the app …');
    const bundle = await bundleApp(folder);
    const [bare, unbundled, packaged] = await measureInTurn(bench, [
      undefined,
      join(root, 'dist', 'functions', 'index.js'),
      join(folder, 'index.js'),
    ]);
    if (packaged.functions !== unbundled.functions) {
      throw new Error(
        `The packaged app registers ${packaged.functions} functions, the unbundled one ${unbundled.functions}.`,
      );
    }
    return {
      title: 'Loading the app',
      columns: [
        { key: 'what', title: 'loaded' },
        { key: 'ms', title: 'until registered', unit: 'ms' },
        { key: 'overBare', title: 'over bare Node.js', unit: 'ms' },
        { key: 'readyMs', title: 'until ready for a call', unit: 'ms' },
        { key: 'cpuMs', title: 'CPU until registered', unit: 'ms' },
        { key: 'memory', title: 'memory when registered', unit: 'MB' },
        { key: 'readyMemory', title: 'memory when ready', unit: 'MB' },
        { key: 'files', title: 'files' },
        { key: 'size', title: 'size', unit: 'kB' },
        { key: 'zipped', title: 'gzip', unit: 'kB' },
      ],
      rows: [
        row('bare Node.js', bare, bare),
        row('unbundled', unbundled, bare),
        { ...row('packaged', packaged, bare), ...(await sizes(folder, bundle)) },
      ],
      goals: goals(bare, unbundled, packaged),
      notes: [
        'Medians of fresh processes in turn, their files in the cache of the operating system. Times count from the ' +
          'start of the process, so the part of Node.js itself is in all of them.',
        'Both load the SDKs of storage right after their functions are registered ("ready for a call"), and those of ' +
          'Batch, Azure DevOps and the identity when they are first used. The packaged app puts off what Durable ' +
          'Functions requires for its client, too: it is there when the app is "ready for a call".',
      ],
    };
  },
};

/** The medians of one of those that are measured. */
interface Medians {
  readonly functions: number;
  readonly registered: Loaded['registered'];
  readonly ready: Loaded['ready'];
}

type Entries = readonly [string | undefined, string, string];

/** In turn, so that whatever else the machine does meets all of them alike. */
async function measureInTurn(
  bench: Bench,
  entries: Entries,
): Promise<readonly [bare: Medians, unbundled: Medians, packaged: Medians]> {
  const rounds = bench.scale.name === 'tiny' ? 1 : 3 + 2 * bench.scale.repetitions;
  const round = async () => {
    const [bare, unbundled, packaged] = entries;
    return [
      await loadOnce(bare, bench.signal),
      await loadOnce(unbundled, bench.signal),
      await loadOnce(packaged, bench.signal),
    ] as const;
  };
  // Brings the files into memory, and is not counted.
  await round();
  const all: Awaited<ReturnType<typeof round>>[] = [];
  for (let done = 0; done < rounds; done += 1) {
    bench.say(`Loading, round ${done + 1} of ${rounds} …`);
    all.push(await round());
  }
  return [
    medians(all.map(each => each[0])),
    medians(all.map(each => each[1])),
    medians(all.map(each => each[2])),
  ];
}

function medians(runs: readonly Loaded[]): Medians {
  const moment = (choose: (run: Loaded) => Loaded['ready']): Loaded['ready'] => ({
    ms: median(runs.map(run => choose(run).ms)),
    cpuMs: median(runs.map(run => choose(run).cpuMs)),
    rssBytes: median(runs.map(run => choose(run).rssBytes)),
  });
  return {
    functions: median(runs.map(run => run.functions)),
    registered: moment(run => run.registered),
    ready: moment(run => run.ready),
  };
}

/** Of an odd number of values. */
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const row = (what: string, { registered, ready }: Medians, bare: Medians): Record<string, Cell> => ({
  what,
  ms: Math.round(registered.ms),
  overBare: Math.round(registered.ms - bare.registered.ms),
  readyMs: Math.round(ready.ms),
  cpuMs: Math.round(registered.cpuMs),
  memory: Math.round(registered.rssBytes / 1e6),
  readyMemory: Math.round(ready.rssBytes / 1e6),
});

async function sizes(folder: string, { files }: Bundle): Promise<Record<string, Cell>> {
  const zipped = await Promise.all(
    files.map(async ({ path }) => (await promisify(gzip)(await readFile(join(folder, path)))).length),
  );
  return {
    files: files.length,
    size: Math.round(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1_000),
    zipped: Math.round(zipped.reduce((sum, bytes) => sum + bytes, 0) / 1_000),
  };
}

function goals(bare: Medians, unbundled: Medians, packaged: Medians): readonly Goal[] {
  const b = bare.registered.ms;
  const u = unbundled.registered.ms;
  const p = packaged.registered.ms;
  // The stricter of two readings: with the part of Node.js itself, which no package can make smaller, on both sides.
  const ratio = p / u;
  return [
    {
      text: `loading the packaged app ≤ ${goalRatio} × the unbundled one`,
      measured: `${ratio.toFixed(2)} × (without bare Node.js on both sides: ${((p - b) / (u - b)).toFixed(2)} ×)`,
      holds: ratio <= goalRatio,
    },
    {
      text: `loading the packaged app ≤ ${goalOverBareMs} ms over bare Node.js`,
      measured: `${Math.round(p - b)} ms`,
      holds: p - b <= goalOverBareMs,
    },
  ];
}
