import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import {
  type PlannedNode,
  type PoolPlanInput,
  planPool,
  WaitingTasks,
} from '../../../scripts/local/batch/scheduler.js';

const now = 1_000_000;

const waitingTasks = (...tasks: [key: string, slots: number, priority: number][]): WaitingTasks => {
  const waiting = new WaitingTasks();
  for (const [seq, [key, slots, priority]] of tasks.entries()) waiting.add({ key, seq, slots, priority });
  return waiting;
};

const node = (id: string, state: PlannedNode['state'], usedSlots = 0, since = now): PlannedNode => ({
  id,
  state,
  usedSlots,
  since,
});

const input = (changes: Partial<PoolPlanInput>): PoolPlanInput => ({
  taskSlotsPerNode: 4,
  nodeFillType: 'spread',
  maxNodes: 2,
  bootMs: 100,
  idleMs: 1_000,
  onDemand: true,
  canGrow: true,
  nodes: [],
  waiting: new WaitingTasks(),
  now,
  ...changes,
});

const placed = (changes: Partial<PoolPlanInput>): string[] =>
  planPool(input(changes)).placements.map(({ task, node: place }) => `${task}@${place}`);

const places = suite('placing tasks');

places('first come, first served, higher job priority before', () => {
  const waiting = waitingTasks(['first', 1, 0], ['second', 1, 0], ['urgent', 1, 100]);
  assert.equal(placed({ waiting, nodes: [node('a', 'idle', 2)] }), ['urgent@a', 'first@a']);
});

places('a task goes where it has room, and a large one does not hold up the small', () => {
  const waiting = waitingTasks(['large', 4, 0], ['small', 1, 0]);
  assert.equal(placed({ waiting, nodes: [node('a', 'running', 3), node('b', 'running', 2)] }), ['small@b']);
  assert.equal(placed({ waiting, nodes: [node('a', 'idle')] }), ['large@a']);
});

places('spread takes the emptiest node, pack the fullest with room', () => {
  const nodes = [node('a', 'running', 2), node('b', 'running', 1)];
  assert.equal(placed({ waiting: waitingTasks(['t', 1, 0]), nodes }), ['t@b']);
  assert.equal(placed({ waiting: waitingTasks(['t', 1, 0]), nodes, nodeFillType: 'pack' }), ['t@a']);
});

places('nothing goes to a node that boots, is unusable or was preempted', () => {
  const nodes = [node('a', 'starting'), node('b', 'unusable'), node('c', 'preempted')];
  assert.equal(placed({ waiting: waitingTasks(['t', 1, 0]), nodes }), []);
});

places('a removed task is not placed', () => {
  const waiting = waitingTasks(['gone', 1, 0], ['stays', 1, 0]);
  waiting.remove('gone');
  assert.equal(placed({ waiting, nodes: [node('a', 'idle')] }), ['stays@a']);
});

places('tasks come out as if sorted by priority, then order of addition', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ priority: fc.integer({ min: -3, max: 3 }), slots: fc.integer({ min: 1, max: 3 }) }),
      ),
      fc.array(fc.nat(40)),
      (tasks, removed) => {
        const waiting = new WaitingTasks();
        const all = tasks.map((task, seq) => ({ ...task, seq, key: `t${seq}` }));
        for (const task of all) waiting.add(task);
        for (const seq of removed) waiting.remove(`t${seq}`);
        const expected = all
          .filter(({ seq }) => !removed.includes(seq))
          .toSorted((a, b) => b.priority - a.priority || a.seq - b.seq);
        assert.is(
          waiting.slots,
          expected.reduce((sum, { slots }) => sum + slots, 0),
        );
        assert.equal(
          expected.map(() => waiting.take(3)?.key),
          expected.map(({ key }) => key),
        );
        assert.is(waiting.take(3), undefined);
      },
    ),
  );
});

const sizes = suite('the size of a pool');

sizes('nodes are added for the slots that wait, up to the most', () => {
  assert.is(planPool(input({ waiting: waitingTasks(['t', 1, 0]) })).addNodes, 1);
  assert.is(planPool(input({ waiting: waitingTasks(['t', 4, 0], ['u', 4, 0], ['v', 4, 0]) })).addNodes, 2);
});

sizes('a booting node is reckoned with', () => {
  const plan = planPool(
    input({ waiting: waitingTasks(['t', 1, 0]), nodes: [node('a', 'starting', 0, now - 40)] }),
  );
  assert.is(plan.addNodes, 0);
  assert.is(plan.wakeAt, now + 60);
});

sizes('a node that takes no time to boot is looked at again at once', () => {
  const plan = planPool(input({ bootMs: 0, waiting: waitingTasks(['t', 1, 0]) }));
  assert.is(plan.addNodes, 1);
  assert.is(plan.wakeAt, now);
});

sizes('a booted node takes tasks at once', () => {
  const plan = planPool(
    input({ waiting: waitingTasks(['t', 1, 0]), nodes: [node('a', 'starting', 0, now - 100)] }),
  );
  assert.equal(plan.booted, ['a']);
  assert.equal(plan.placements, [{ task: 't', node: 'a' }]);
});

sizes('an unusable node keeps its place, a preempted one is replaced', () => {
  const waiting = (): WaitingTasks => waitingTasks(['t', 1, 0]);
  assert.is(planPool(input({ waiting: waiting(), maxNodes: 1, nodes: [node('a', 'unusable')] })).addNodes, 0);
  assert.is(
    planPool(input({ waiting: waiting(), maxNodes: 1, nodes: [node('a', 'preempted')] })).addNodes,
    1,
  );
});

sizes('a pool that can not grow gets no node', () => {
  assert.is(planPool(input({ waiting: waitingTasks(['t', 1, 0]), canGrow: false })).addNodes, 0);
});

sizes('a node leaves when it was idle for long enough, not before', () => {
  const early = planPool(input({ nodes: [node('a', 'idle', 0, now - 999)] }));
  assert.equal(early.removeNodes, []);
  assert.is(early.wakeAt, now + 1);
  assert.equal(planPool(input({ nodes: [node('a', 'idle', 0, now - 1_000)] })).removeNodes, ['a']);
  assert.equal(planPool(input({ nodes: [node('a', 'running', 1, now - 9_000)] })).removeNodes, []);
});

sizes('nothing to do means nothing to wake for', () => {
  assert.is(planPool(input({ nodes: [node('a', 'running', 1)] })).wakeAt, undefined);
});

places.run();
sizes.run();
