import { type Counts, sum } from '../counting/counts.js';
import { Executions } from '../counting/executions.js';
import { type Followed, followRequests } from '../counting/follow-requests.js';
import { registerDummyAgent } from '../counting/pipelines.js';
import { type Costs, costsOf, round2, roundCost } from '../counting/request-cost.js';
import type { Bench, Cell, Figure, Goal, RequestCost } from '../figure.js';
import { type AppName, openWorld } from '../world.js';

const apps: readonly AppName[] = ['ours', 'monitor', 'article'];

/** Ten times as often as by default, so that nobody has to wait that long: waits are told as they would be there. */
const watchSeconds = 0.5;
const defaultWatchSeconds = 5;
const usualPace = defaultWatchSeconds / watchSeconds;

const functionsGoal = 16;
const storageGoal = 14;

/** The least that the same service could cost: a row and a message. */
const floor = (waitMs: number): RequestCost => ({
  contender: 'floor',
  waitMs,
  ownStorage: { 'table insert': 1, 'queue send': 1 },
  hostStorage: {},
  episodes: 0,
  activities: 0,
  otherFunctions: 0,
  historyEvents: 0,
  historyBytes: 0,
  batchCalls: 0,
  devOpsCalls: 0,
  callbackCalls: 0,
});

/** What one request takes, counted, for two lengths of the wait for its agent. */
export const perRequest: Figure = {
  name: 'per-request',
  measure: async bench => {
    const waits = [bench.scale.waitMs, bench.scale.waitMs * 10];
    bench.say(`follows ${bench.scale.perRequest} requests of each, with waits of ${waits.join(' and ')} ms`);
    const measured = await Promise.all(apps.map(async app => measureApp(app, waits, bench)));
    const costs = [
      ...measured.flatMap(({ many }) => many.map(({ request }) => request)),
      ...waits.map(each => floor(each * usualPace)),
    ];
    const ours = measured.find(({ alone }) => alone.request.contender === 'ours');
    if (!ours) throw new Error('Ours was not measured.');
    const { round } = ours.alone;
    return {
      title: `One request: counts, for a wait of ${waits.map(each => `${(each * usualPace) / 1_000} s`).join(' and of ')}`,
      columns: [
        { key: 'contender', title: 'contender' },
        { key: 'wait', title: 'wait', unit: 's' },
        { key: 'episodes', title: 'episodes' },
        { key: 'activities', title: 'activities' },
        { key: 'other', title: 'other functions' },
        { key: 'own', title: 'own storage' },
        { key: 'host', title: 'host storage' },
        { key: 'events', title: 'history events' },
        { key: 'bytes', title: 'history', unit: 'B' },
        { key: 'batch', title: 'Batch calls' },
        { key: 'devops', title: 'Azure DevOps calls' },
        { key: 'callback', title: 'callback calls' },
      ],
      rows: [
        ...costs.map(rowOf),
        { ...rowOf(ours.alone.request), contender: 'ours, one alone' },
        roundRow(ours.alone),
      ],
      goals: goalsOf(ours),
      notes: notesOf(ours, bench.scale.perRequest),
      // Agents that come evenly over a day hardly meet: a model of that must take nothing as shared.
      costs: costs.map(cost =>
        cost.contender === 'ours' ? { ...cost, ownStorage: ours.alone.request.ownStorage } : cost,
      ),
      ...(round
        ? { watchRound: { ...round, batchCalls: sum(round.batchCalls), devOpsCalls: sum(round.devOpsCalls) } }
        : {}),
    };
  },
};

interface Measurement {
  /** For each of the waits, requests that were made at once. */
  readonly many: readonly Costs[];
  /** One that nobody else's calls could be joined with, for the first wait. */
  readonly alone: Costs;
}

async function measureApp(app: AppName, waits: readonly number[], bench: Bench): Promise<Measurement> {
  const executions = new Executions();
  const { signal, scale } = bench;
  const stack = await openWorld({
    app,
    folder: bench.folder(`per-request-${app}`),
    signal,
    onEvent: executions.onEvent,
    // Agents that are processes of their own would take seconds to start, which only looks like a longer wait.
    args: { batch: ['--runner', 'inline'] },
    settings: {
      WatchSeconds: String(watchSeconds),
      // What they do depends on the time that passes and not on the requests.
      'AzureWebJobs.reconcile.Disabled': 'true',
      'AzureWebJobs.drainPoison.Disabled': 'true',
      // The host says it of orchestrators only when it is asked for more.
      'AzureFunctionsJobHost__logging__logLevel__Function.poolWatch': 'Debug',
    },
  });
  try {
    if (app === 'article') await registerDummyAgent(stack);
    const following = { stack, app, executions, signal };
    // What is made or asked once a day or once a process is not what a request costs.
    await followRequests({ ...following, requests: 1, waitMs: 0 });
    const [shortest = 0] = waits;
    const alone = await followRequests({ ...following, requests: 1, waitMs: shortest });
    const followed: Followed[] = [];
    for (const waitMs of waits) {
      followed.push(await followRequests({ ...following, requests: scale.perRequest, waitMs }));
      bench.say(`${app}: followed through a wait of ${waitMs} ms`);
    }
    // The longest wait has the most rounds, and tells best what one takes.
    const round = roundCost(app, followed.at(-1));
    return {
      many: followed.map((each, index) => costsOf(app, each, (waits[index] ?? 0) * usualPace, round)),
      alone: costsOf(app, alone, shortest * usualPace, round),
    };
  } finally {
    await stack.stop();
  }
}

const rowOf = (cost: RequestCost): Readonly<Record<string, Cell>> => ({
  contender: cost.contender,
  wait: cost.waitMs / 1_000,
  episodes: cost.episodes,
  activities: cost.activities,
  other: cost.otherFunctions,
  own: round2(sum(cost.ownStorage)),
  host: round2(sum(cost.hostStorage)),
  events: cost.historyEvents,
  bytes: Math.round(cost.historyBytes),
  batch: cost.batchCalls,
  devops: cost.devOpsCalls,
  callback: cost.callbackCalls,
});

const roundRow = ({ round }: Costs): Readonly<Record<string, Cell>> => ({
  contender: 'the watch of ours, a round',
  episodes: round2(round?.episodes ?? 0),
  activities: round?.activities,
  own: round2(sum(round?.ownStorage ?? {})),
  host: round2(sum(round?.hostStorage ?? {})),
  batch: round2(sum(round?.batchCalls ?? {})),
  devops: round2(sum(round?.devOpsCalls ?? {})),
});

function goalsOf({ many, alone }: Measurement): readonly Goal[] {
  const storage = [...many, alone].map(({ request }) => round2(sum(request.ownStorage)));
  // A look that meets the job at work makes one more: by chance. What each look added would be added to all of them.
  const [least] = many.map(({ functions }) => functions.least);
  return [
    {
      text: `episodes + activities of a request: at most ${functionsGoal}, and the same for a wait ten times longer`,
      measured: many
        .map(({ functions }) => `${functions.least} to ${functions.most} (median ${functions.median})`)
        .join(' and '),
      holds: many.every(({ functions }) => functions.most <= functionsGoal && functions.least === least),
    },
    {
      text: `storage transactions of our own: at most ${storageGoal}`,
      measured: `${storage.slice(0, -1).join(' and ')}; ${storage.at(-1)} for one alone`,
      holds: storage.every(count => count <= storageGoal),
    },
  ];
}

const listed = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, times]) => `${name} ${times}`)
    .join(', ');

const notesOf = ({ many, alone }: Measurement, requests: number): readonly string[] => [
  `${requests} requests at once, but for the one alone: where requests meet, their calls may be joined.`,
  `The pool is watched, and the monitor looks, every ${watchSeconds} s here; waits are told as they would be at the ` +
    `usual ${defaultWatchSeconds} s. The agents’ own start and their jobs come on top.`,
  'Counted after a first request that is left out: what is made once a day or once a process is not in it. Timers are off.',
  'What a round of the watch takes is counted while all requests only wait, and taken off once for each round; on which ' +
    'side a round at either end falls is uncertain by one, for all requests together. The lines that tell a pipeline how ' +
    'long it still waits, and the reads for them, are its request’s own.',
  'The article removes no task, tells no pipeline and follows nothing; the monitor keeps no rows, makes one attempt ' +
    'and lets the pipeline’s token lie open in its history.',
  ...many.map(costs => `${costs.request.waitMs / 1_000} s: ${detailsOf(costs)}`),
  `One alone: ${detailsOf(alone)}`,
];

const detailsOf = ({ request, routes, rounds, idlePolls }: Costs): string =>
  `${rounds} rounds of the watch and ${idlePolls} looks into the empty queue in all; a request of ours takes of its own ` +
  `storage: ${listed(request.ownStorage)}; of calls: ${listed(routes)}.`;
