import { randomBytes } from 'node:crypto';

import type { NodeRecord, NodeState } from './records.js';

/** How a node comes and goes on; its record is replaced, never changed. */

export const inState = (node: NodeRecord, state: NodeState): NodeRecord =>
  node.state === state ? node : { ...node, state, stateTransitionTime: new Date().toISOString() };

export const booted = (node: NodeRecord): NodeRecord => ({
  ...inState(node, 'idle'),
  lastBootTime: new Date().toISOString(),
});

/** @param kind `d`: dedicated; `p`: low priority. */
export function newNode(kind: 'd' | 'p'): NodeRecord {
  const now = new Date().toISOString();
  return {
    id: `tvmps_${randomBytes(32).toString('hex')}_${kind}`,
    state: 'starting',
    stateTransitionTime: now,
    allocationTime: now,
    totalTasksRun: 0,
    totalTasksSucceeded: 0,
  };
}
