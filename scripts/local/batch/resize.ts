import type { NodeDeallocationOption } from '../autoscale/formula.js';
import type { PlannedNode } from './scheduler.js';

/** Decides, without doing, which nodes come and go so that a pool has as many as its formula says. */

export interface Targets {
  readonly targetDedicatedNodes: number;
  readonly targetLowPriorityNodes: number;
  readonly nodeDeallocationOption: NodeDeallocationOption;
}

export interface ResizeInput {
  readonly nodes: readonly PlannedNode[];
  /** Absent: the pool has no formula; only nodes that are leaving already are looked at. */
  readonly targets: Targets | undefined;
  readonly maxNodes: number;
  /** False while the pool can't be resized. */
  readonly canGrow: boolean;
  /** A preempted node is shown for this long. */
  readonly idleMs: number;
  readonly now: number;
}

export interface Resize {
  readonly addDedicated: number;
  readonly addLowPriority: number;
  /** Nodes that go once they have no more tasks. */
  readonly leave: readonly string[];
  /** Nodes that are gone now. */
  readonly gone: readonly string[];
}

/** By its id, as the service names its nodes: a pool may have both kinds. */
export const isDedicated = (nodeId: string): boolean => nodeId.endsWith('_d');

export function planResize({ nodes, targets, maxNodes, canGrow, idleMs, now }: ResizeInput): Resize {
  const left = nodes.filter(node => node.state === 'leavingpool' && node.usedSlots === 0).map(({ id }) => id);
  if (!targets) return { addDedicated: 0, addLowPriority: 0, leave: [], gone: left };
  const dedicated = Math.min(targets.targetDedicatedNodes, maxNodes);
  const lowPriority = Math.min(targets.targetLowPriorityNodes, maxNodes - dedicated);
  const present = nodes.filter(({ state }) => state !== 'preempted' && state !== 'leavingpool');
  const ofDedicated = present.filter(({ id }) => isDedicated(id));
  const ofLowPriority = present.filter(({ id }) => !isDedicated(id));
  const leavers = [...surplus(ofDedicated, dedicated), ...surplus(ofLowPriority, lowPriority)];
  const expired = nodes.filter(node => node.state === 'preempted' && now >= node.since + idleMs);
  return {
    addDedicated: canGrow ? Math.max(0, dedicated - ofDedicated.length) : 0,
    addLowPriority: canGrow ? Math.max(0, lowPriority - ofLowPriority.length) : 0,
    leave: leavers.filter(({ usedSlots }) => usedSlots > 0).map(({ id }) => id),
    gone: [
      ...left,
      ...[...leavers.filter(({ usedSlots }) => usedSlots === 0), ...expired].map(({ id }) => id),
    ],
  };
}

/** Those of least use first: broken ones, booting ones, idle ones, then the ones with the fewest tasks. */
const surplus = (nodes: readonly PlannedNode[], wanted: number): PlannedNode[] =>
  nodes.toSorted((one, other) => use(one) - use(other)).slice(0, Math.max(0, nodes.length - wanted));

const use = ({ state, usedSlots }: PlannedNode): number =>
  state === 'unusable' ? -2 : state === 'starting' ? -1 : usedSlots;
