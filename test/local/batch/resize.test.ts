import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { planResize, type Resize, type ResizeInput } from '../../../scripts/local/batch/resize.js';
import type { PlannedNode } from '../../../scripts/local/batch/scheduler.js';

const now = 1_000_000;

const node = (id: string, state: PlannedNode['state'], usedSlots = 0, since = now): PlannedNode => ({
  id,
  state,
  usedSlots,
  since,
});

/** @param wanted dedicated and low-priority nodes; absent: the pool has no formula. */
const plan = (
  wanted: readonly [dedicated: number, lowPriority: number] | undefined,
  nodes: readonly PlannedNode[],
  changes: Partial<ResizeInput> = {},
): Resize =>
  planResize({
    nodes,
    targets: wanted && {
      targetDedicatedNodes: wanted[0],
      targetLowPriorityNodes: wanted[1],
      nodeDeallocationOption: 'requeue',
    },
    maxNodes: 10,
    canGrow: true,
    idleMs: 1_000,
    now,
    ...changes,
  });

const nothing: Resize = { addDedicated: 0, addLowPriority: 0, leave: [], gone: [] };

const resizes = suite('the size that a formula wants');

resizes('brings nodes of each kind', () => {
  assert.equal(plan([2, 3], [node('a_d', 'idle')]), { ...nothing, addDedicated: 1, addLowPriority: 3 });
  assert.equal(plan([1, 1], [node('a_d', 'starting'), node('b_p', 'running', 1)]), nothing);
});

resizes('is held to the most that the pool may have, dedicated nodes first', () => {
  assert.equal(plan([2, 5], [], { maxNodes: 4 }), { ...nothing, addDedicated: 2, addLowPriority: 2 });
  assert.equal(plan([9, 5], [], { maxNodes: 4 }), { ...nothing, addDedicated: 4 });
});

resizes('waits while the pool can not grow, yet shrinks', () => {
  assert.equal(plan([2, 0], [node('a_p', 'idle')], { canGrow: false }), { ...nothing, gone: ['a_p'] });
});

resizes('lets those go first that do least', () => {
  const nodes = [
    node('busy_d', 'running', 4),
    node('idle_d', 'idle'),
    node('boots_d', 'starting'),
    node('broken_d', 'unusable'),
    node('half_d', 'running', 2),
  ];
  assert.equal(plan([4, 0], nodes), { ...nothing, gone: ['broken_d'] });
  assert.equal(plan([2, 0], nodes), { ...nothing, gone: ['broken_d', 'boots_d', 'idle_d'] });
  assert.equal(plan([0, 0], nodes), {
    ...nothing,
    gone: ['broken_d', 'boots_d', 'idle_d'],
    leave: ['half_d', 'busy_d'],
  });
});

resizes('replaces what is preempted or leaving, and does not call it back', () => {
  const nodes = [node('a_p', 'preempted'), node('b_p', 'leavingpool', 1)];
  assert.equal(plan([0, 2], nodes), { ...nothing, addLowPriority: 2 });
  assert.equal(plan([0, 0], nodes), nothing);
});

resizes('a node that was leaving is gone with its last task, formula or not', () => {
  const nodes = [node('a_p', 'leavingpool'), node('b_p', 'leavingpool', 1), node('c_p', 'idle')];
  assert.equal(plan(undefined, nodes).gone, ['a_p']);
  assert.equal(plan([0, 1], nodes).gone, ['a_p']);
});

resizes('a preempted node is shown for a while', () => {
  assert.equal(plan([0, 0], [node('a_p', 'preempted', 0, now - 999)]).gone, []);
  assert.equal(plan([0, 0], [node('a_p', 'preempted', 0, now - 1_000)]).gone, ['a_p']);
});

resizes.run();
