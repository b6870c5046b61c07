import type { Pool } from '../answers/pools.js';
import type { Config } from '../config.js';
import { admissible, hasBegun, isWaiting } from '../domain/admission.js';
import type { TaskView } from '../domain/situation.js';
import type { BatchPoolView, LiveRequest } from '../ports.js';

export interface SeenPools {
  readonly live: readonly LiveRequest[];
  /** Their tasks; undefined: Batch could not be asked. */
  readonly tasks: readonly TaskView[] | undefined;
  /** Undefined: Batch could not be asked. */
  readonly batchPools: readonly BatchPoolView[] | undefined;
  /** When the watch of an agent pool looked last, by pool. */
  readonly watchedAt: ReadonlyMap<string, string>;
}

type Reason = Pool['waits'][number]['reason'];

interface Wait {
  readonly reason: Reason;
  readonly request: LiveRequest;
}

/** For each agent pool and Batch pool that a profile or a live request brings together, what waits there and why. */
export function describePools({ profiles }: Pick<Config, 'profiles'>, seen: SeenPools): readonly Pool[] {
  const pairs = pairsOf(profiles, seen.live);
  const tasks = seen.tasks && new Map(seen.tasks.map(task => [task.taskId.toLowerCase(), task]));
  const mayBegin = new Set(admissible(seen.live, name => profiles.get(name)?.maxAlive));
  const views = new Map(seen.batchPools?.map(view => [view.poolId.toLowerCase(), view]));
  return [...pairs.values()].map(({ devOpsPool, batchPool, names, os, live }): Pool => {
    const waits = live
      .filter(isWaiting)
      .map((request): Wait => ({ request, reason: reasonOf(request, mayBegin, tasks) }));
    const view = views.get(batchPool.toLowerCase());
    const count = (...states: readonly LiveRequest['state'][]): number =>
      live.filter(({ state }) => states.includes(state)).length;
    const detail = { batchPool, view, profiles, live: seen.live, knowsTasks: tasks !== undefined };
    return {
      devOpsPool,
      batchPool,
      profiles: names,
      os,
      waiting: count('accepted', 'provisioning'),
      starting: count('starting'),
      online: count('online'),
      busy: count('busy'),
      oldestWaitingSince: oldest(waits) ?? null,
      waits: reasonsInOrder.flatMap(reason => {
        const same = waits.filter(wait => wait.reason === reason);
        const oldestSince = oldest(same);
        return oldestSince === undefined
          ? []
          : [{ reason, count: same.length, oldestSince, detail: detailOf(reason, same, detail) }];
      }),
      nodes: view?.nodes ?? null,
      problem: view?.problem ? { code: view.problem.code, message: view.problem.message } : null,
      lastWatchAt: seen.watchedAt.get(devOpsPool) ?? null,
    };
  });
}

const reasonsInOrder: readonly Reason[] = ['start', 'freePlace', 'task', 'node', 'container', 'registration'];

interface Pair {
  readonly devOpsPool: string;
  readonly batchPool: string;
  readonly names: string[];
  readonly os: Pool['os'];
  readonly live: LiveRequest[];
}

function pairsOf(profiles: Config['profiles'], live: readonly LiveRequest[]): ReadonlyMap<string, Pair> {
  const pairs = new Map<string, Pair>();
  const pairOf = (devOpsPool: string, batchPool: string, os: Pool['os']): Pair => {
    const key = JSON.stringify([devOpsPool, batchPool]).toLowerCase();
    const pair = pairs.get(key) ?? { devOpsPool, batchPool, names: [], os, live: [] };
    pairs.set(key, pair);
    return pair;
  };
  for (const { name, devOpsPool, batchPool, os } of profiles.values()) {
    pairOf(devOpsPool, batchPool, os).names.push(name);
  }
  for (const request of live) {
    const profile = profiles.get(request.profile);
    // One of a profile that is gone, and without a task, has no Batch pool that anybody knows of.
    const batchPool = request.batch?.poolId ?? profile?.batchPool ?? '';
    pairOf(request.devOpsPool, batchPool, profile?.os ?? 'linux').live.push(request);
  }
  return pairs;
}

function reasonOf(
  request: LiveRequest,
  mayBegin: ReadonlySet<LiveRequest>,
  tasks: ReadonlyMap<string, TaskView> | undefined,
): Reason {
  if (request.state === 'accepted') return mayBegin.has(request) ? 'start' : 'freePlace';
  if (request.state === 'provisioning') return 'task';
  const task = tasks?.get(request.batch?.taskId.toLowerCase() ?? '');
  if (task?.state === 'preparing') return 'container';
  return task?.state === 'running' || task?.state === 'completed' ? 'registration' : 'node';
}

const oldest = (waits: readonly Wait[]): string | undefined =>
  waits.map(({ request }) => request.createdAt).toSorted()[0];

interface Surroundings {
  readonly batchPool: string;
  readonly view: BatchPoolView | undefined;
  readonly profiles: Config['profiles'];
  readonly live: readonly LiveRequest[];
  readonly knowsTasks: boolean;
}

function detailOf(
  reason: Reason,
  waits: readonly Wait[],
  { batchPool, view, profiles, live, knowsTasks }: Surroundings,
): string {
  switch (reason) {
    case 'start':
      return 'Accepted a moment ago; the next step starts by itself.';
    case 'freePlace': {
      const names = [...new Set(waits.map(({ request }) => request.profile))];
      return names
        .map(name => {
          const begun = live.filter(request => request.profile === name && hasBegun(request)).length;
          const most = profiles.get(name)?.maxAlive ?? 0;
          return `Profile ${name} allows ${most} ${most === 1 ? 'agent' : 'agents'} at once (maxAlive), and has ${begun}.`;
        })
        .join(' ');
    }
    case 'task':
      return 'The Batch task is being made.';
    case 'node': {
      if (!knowsTasks) return 'Azure Batch can not be asked now what the tasks wait for.';
      if (view?.problem) return view.problem.message;
      if (!view?.nodes) return `Batch pool ${batchPool} has no free node yet.`;
      const { current, target, starting } = view.nodes;
      const more =
        target > current || starting > 0
          ? 'more are on their way'
          : 'no more are on their way; the pool may grow at its next evaluation';
      return `No node of Batch pool ${batchPool} is free: it has ${current} of ${target}, and ${more}.`;
    }
    case 'container':
      return 'The node makes the container ready, which includes pulling the image.';
    case 'registration':
      return 'The container runs; its agent has not registered yet.';
  }
}
