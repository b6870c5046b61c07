import { sum } from '../counts.js';
import { Executions } from '../executions.js';
import type { Bench, Cell, Figure, Goal, RequestCost } from '../figure.js';
import { followRequests } from '../follow-requests.js';
import { registerDummyAgent } from '../pipelines.js';
import { type Costs, costsOf, round2 } from '../request-cost.js';
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
    const measured = (await Promise.all(apps.map(async app => measureApp(app, waits, bench)))).flat();
    const costs = [...measured.map(({ request }) => request), ...waits.map(each => floor(each * usualPace))];
    const ours = measured.filter(({ request }) => request.contender === 'ours');
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
      rows: [...costs.map(rowOf), ...ours.flatMap(roundRow)],
      goals: goalsOf(ours.map(({ request }) => request)),
      notes: notesOf(ours),
      costs,
    };
  },
};

async function measureApp(app: AppName, waits: readonly number[], bench: Bench): Promise<readonly Costs[]> {
  const executions = new Executions();
  const { signal, scale } = bench;
  const stack = await openWorld({
    app,
    folder: bench.folder(`per-request-${app}`),
    signal,
    onEvent: executions.onEvent,
    settings: {
      WatchSeconds: String(watchSeconds),
      // What they do depends on the time that passes and not on the requests.
      'AzureWebJobs.reconcile.Disabled': 'true',
      'AzureWebJobs.drainPoison.Disabled': 'true',
    },
  });
  try {
    if (app === 'article') await registerDummyAgent(stack);
    const following = { stack, app, executions, signal };
    // What is made or asked once a day or once a process is not what a request costs.
    await followRequests({ ...following, requests: 1, waitMs: 0 });
    const costs: Costs[] = [];
    for (const waitMs of waits) {
      const followed = await followRequests({ ...following, requests: scale.perRequest, waitMs });
      costs.push(costsOf(app, followed, waitMs * usualPace));
      bench.say(`${app}: followed through a wait of ${waitMs} ms`);
    }
    return costs;
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

const roundRow = ({ round, request }: Costs): readonly Readonly<Record<string, Cell>>[] =>
  round === undefined
    ? []
    : [
        {
          contender: 'ours: the watch, a round',
          wait: request.waitMs / 1_000,
          episodes: round2(round.episodes),
          activities: round.activities,
          own: round2(sum(round.ownStorage)),
          host: round2(sum(round.hostStorage)),
          batch: round2(round.batchCalls),
          devops: round2(round.devOpsCalls),
          callback: round2(round.callbackCalls),
        },
      ];

function goalsOf(ours: readonly RequestCost[]): readonly Goal[] {
  const functions = ours.map(({ episodes, activities }) => round2(episodes + activities));
  const storage = ours.map(({ ownStorage }) => round2(sum(ownStorage)));
  return [
    {
      text: `episodes + activities of a request: at most ${functionsGoal}, and the same for a wait ten times longer`,
      measured: functions.join(' and '),
      holds: functions.every(count => count <= functionsGoal && count === functions[0]),
    },
    {
      text: `storage transactions of our own: at most ${storageGoal}`,
      measured: storage.join(' and '),
      holds: storage.every(count => count <= storageGoal),
    },
  ];
}

const notesOf = (ours: readonly Costs[]): readonly string[] => [
  `The pool is watched, and the monitor looks, every ${watchSeconds} s here; waits are told as they would be at the ` +
    `usual ${defaultWatchSeconds} s.`,
  'Counted after a first request that is left out: what is made once a day or once a process is not in it. Timers are off.',
  'Calls of the watch are counted while all requests only wait, and taken off by the number of its rounds; which side ' +
    'a round at either end falls on is uncertain by one for all requests together. A line to a pipeline that waits is ' +
    'its request’s own.',
  'The article removes no task, tells no pipeline and follows nothing; the monitor keeps no rows, makes one attempt ' +
    'and lets the pipeline’s token lie open in its history.',
  ...ours.map(
    ({ request, rounds, idlePolls }) =>
      `Ours, ${request.waitMs / 1_000} s: ${rounds} rounds of the watch and ${idlePolls} looks into the empty queue for ` +
      `all requests together; own storage by kind: ${Object.entries(request.ownStorage)
        .map(([kind, times]) => `${kind} ${times}`)
        .join(', ')}.`,
  ),
];
