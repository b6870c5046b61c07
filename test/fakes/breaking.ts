import type { WithOrchestrations } from '../../shared/activities/dependencies.js';
import { TransientError } from '../../shared/domain/failure.js';
import { createLimits, type World } from './world.js';

/** What an activity asks of the world and may be refused; talk to a pipeline's log never fails, by contract. */
const methods: Readonly<Record<string, ReadonlySet<string>>> = {
  store: new Set(['insert', 'get', 'message', 'replace', 'reopen', 'list', 'live']),
  queue: new Set(['send', 'reply', 'deadLetter']),
  deadLetters: new Set(['receive', 'remove', 'giveBack']),
  poison: new Set(['receive', 'remove', 'giveBack']),
  compute: new Set(['createTask', 'listTasks', 'getTask', 'deleteTask', 'outputTail', 'poolProblem']),
  registry: new Set([
    'poolExists',
    'listAgents',
    'getAgent',
    'ranJob',
    'jobResult',
    'removeAgent',
    'ensurePlaceholder',
  ]),
  pipeline: new Set(['complete']),
  orchestrations: new Set(['startLifecycle', 'runningLifecycle', 'raise', 'ensureWatch']),
};

export interface BreakingWorld {
  readonly dependencies: WithOrchestrations;
  /** What was called so far, e.g. `store.get`. */
  readonly calls: readonly string[];
}

/**
 * The same world, but one call breaks off, as if the host had died there.
 *
 * @param at which one, counted over all ports from 0; -1 breaks none.
 * @param when `before`: without effect; `after`: the effect takes place and nobody hears of it.
 */
export function breakingAt(world: World, at: number, when: 'before' | 'after' = 'before'): BreakingWorld {
  const calls: string[] = [];
  const guard = <Port extends object>(name: string, port: Port): Port =>
    new Proxy(port, {
      get: (target, method) => {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== 'function' || typeof method !== 'string' || !methods[name]?.has(method)) {
          return value;
        }
        return async (...args: readonly unknown[]): Promise<unknown> => {
          const breaks = calls.length === at;
          calls.push(`${name}.${method}`);
          const broken = new TransientError(
            'InternalError',
            'intake',
            `The host died ${when} ${name}.${method}.`,
          );
          if (breaks && when === 'before') throw broken;
          const answer: unknown = await Reflect.apply(value, target, args);
          if (breaks) throw broken;
          return answer;
        };
      },
    });
  const store = guard('store', world.store);
  return {
    calls,
    dependencies: {
      ...world,
      ...createLimits({ ...world, store }),
      store,
      queue: guard('queue', world.queue),
      deadLetters: guard('deadLetters', world.deadLetters),
      poison: guard('poison', world.poison),
      compute: guard('compute', world.compute),
      registry: guard('registry', world.registry),
      pipeline: guard('pipeline', world.pipeline),
      orchestrations: guard('orchestrations', world.orchestrations),
    },
  };
}
