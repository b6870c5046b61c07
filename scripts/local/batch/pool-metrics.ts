import type { Samples } from '../autoscale/sample-recorder.js';
import { idKey, type NodeState, type PoolRecord } from './records.js';
import { isDedicated } from './resize.js';
import type { Store } from './store.js';

/** How many tasks of each pool have ended since this server started. */
export class EndedTasks {
  readonly #byPool = new Map<string, { succeeded: number; failed: number }>();

  add(poolId: string, result: 'success' | 'failure'): void {
    const { succeeded, failed } = this.of(poolId);
    this.#byPool.set(idKey(poolId), {
      succeeded: succeeded + Number(result === 'success'),
      failed: failed + Number(result === 'failure'),
    });
  }

  of(poolId: string): { succeeded: number; failed: number } {
    return this.#byPool.get(idKey(poolId)) ?? { succeeded: 0, failed: 0 };
  }
}

/**
 * One sample of a pool, of what there is here. The load of processors, disks and networks is this machine's and no node's:
 * it has no samples.
 */
export function sampleOf(pool: PoolRecord, waiting: number, store: Store, ended: EndedTasks): Samples {
  const { config, nodes } = pool;
  const key = idKey(config.id);
  const running = [...store.runs.values()].filter(({ poolId }) => idKey(poolId) === key).length;
  const inState = (...states: NodeState[]): number =>
    nodes.filter(({ state }) => states.includes(state)).length;
  const dedicated = nodes.filter(({ id }) => isDedicated(id)).length;
  const { succeeded, failed } = ended.of(key);
  return {
    $ActiveTasks: waiting,
    $RunningTasks: running,
    $PendingTasks: waiting + running,
    $SucceededTasks: succeeded,
    $FailedTasks: failed,
    $CurrentDedicatedNodes: dedicated,
    $CurrentLowPriorityNodes: nodes.length - dedicated,
    $PreemptedNodeCount: inState('preempted'),
    $UsableNodeCount: inState('idle', 'running'),
    $SampleNodeCount: nodes.length,
    $TaskSlotsPerNode: config.taskSlotsPerNode,
  };
}
