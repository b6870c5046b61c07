import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { simulate } from '../../scripts/simulate/simulation.js';
import { formula, plainWorld, requests, spotNodes } from './support.js';

/** To the second, in hours. */
const hoursOf = (minutes: number): number => minutes / 60;
const isAbout = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

const waits = suite('a wait');

waits('is the evaluation, the machine, its boot, the image, and the agent, for the first one', () => {
  // Evaluated at 1:00, there at 2:00, booted at 7:00, with the image at 8:00, online at 8:30.
  const {
    waitMinutes,
    requests: count,
    unserved,
  } = simulate(requests([0, 10]), spotNodes(1, 20), plainWorld);
  isAbout(waitMinutes.max, 8.5);
  assert.is(count, 1);
  assert.is(unserved, 0);
});

waits('is that of the agent alone where a node is ready', () => {
  isAbout(simulate(requests([30, 10]), spotNodes(1), plainWorld).waitMinutes.max, 0.5);
});

waits('includes the jobs before where there is one place', () => {
  // The first is online at 8:30 and runs until 18:30; the second was asked for at 1:00.
  isAbout(simulate(requests([0, 10], [1, 10]), spotNodes(1), plainWorld).waitMinutes.max, 18);
  // Also of one that is asked for while the first runs.
  isAbout(simulate(requests([0, 10], [10, 10]), spotNodes(1), plainWorld).waitMinutes.max, 9);
});

waits('includes the pull for all tasks that come before the image has, and for no later one', () => {
  const world = { ...plainWorld, prefetch: false, slots: 3 };
  // Booted at 7:00: the pull ends at 8:00 for both.
  const both = simulate(requests([0, 1], [7.5, 1]), spotNodes(1), world);
  isAbout(both.waitMinutes.max, 8.5);
  isAbout(both.waitMinutes.p50, 1);
  isAbout(simulate(requests([0, 1], [20, 1]), spotNodes(1), world).waitMinutes.p50, 0.5);
});

waits('is of whoever has been waiting longest, unless only a smaller task fits', () => {
  const world = { ...plainWorld, slots: 2 };
  // From 8:00 the first has one of the two slots, until 18:30; the big one must wait for both, the small one need not.
  const { waitMinutes } = simulate(requests([0, 10, 1], [1, 10, 2], [2, 1, 1]), spotNodes(1), world);
  isAbout(waitMinutes.max, 18);
  isAbout(waitMinutes.p50, 8.5);
});

waits('is not over with an agent that was stopped before it was online', () => {
  // On the first node it would have been online at 13:00; that is taken away at 11:00, and the next is ready at 38:00.
  const again = formula(minutes => ({
    targetLowPriorityNodes: minutes < 10 || (minutes > 30 && minutes < 60) ? 1 : 0,
  }));
  const world = { ...plainWorld, registerSeconds: 295 };
  isAbout(simulate(requests([0, 10]), again, world).waitMinutes.max, 43);
});

waits('has percentiles that somebody waited', () => {
  const { waitMinutes } = simulate(requests([0, 1], [30, 1], [40, 1], [50, 1]), spotNodes(1), plainWorld);
  isAbout(waitMinutes.p50, 0.5);
  isAbout(waitMinutes.p90, 8.5);
});

waits.run();

const costs = suite('node-hours');

costs('count from the machine being there until an idle one is not wanted any more', () => {
  // There from 2:00; the first evaluation after 20 min is at 21:00. It was in use from 8:00 to 18:30.
  const { nodeHours, utilisation, peakNodes } = simulate(requests([0, 10]), spotNodes(1, 20), plainWorld);
  isAbout(nodeHours.spot, hoursOf(19));
  assert.is(nodeHours.dedicated, 0);
  isAbout(utilisation, 10.5 / 19);
  assert.is(peakNodes, 1);
});

costs('go on under taskcompletion until the job is over', () => {
  const { nodeHours, interrupted } = simulate(requests([0, 10]), spotNodes(1, 10), plainWorld);
  isAbout(nodeHours.spot, hoursOf(16.5));
  assert.is(interrupted, 0);
});

costs('a node that leaves takes no further task', () => {
  const { unserved } = simulate(requests([0, 10], [15, 1]), spotNodes(1, 10), { ...plainWorld, slots: 2 });
  assert.is(unserved, 1);
});

costs('end at once under requeue, which is the default, and the job begins anew elsewhere', () => {
  // Taken away at 11:00, wanted again at 31:00, ready at 38:00.
  const again = formula(minutes => ({
    targetLowPriorityNodes: minutes < 10 || (minutes > 30 && minutes < 60) ? 1 : 0,
  }));
  const { nodeHours, interrupted, unserved, waitMinutes } = simulate(requests([0, 10]), again, plainWorld);
  isAbout(nodeHours.spot, hoursOf(9 + 29));
  assert.is(interrupted, 1);
  assert.is(unserved, 0);
  isAbout(waitMinutes.max, 8.5);
});

costs('end at once under terminate, and the job is lost', () => {
  const outcome = simulate(requests([0, 10]), spotNodes(1, 10, 0, 'terminate'), plainWorld);
  isAbout(outcome.nodeHours.spot, hoursOf(9));
  assert.is(outcome.interrupted, 1);
});

costs('under retaineddata go on for the days that the data of a task is kept', () => {
  const outcome = simulate(requests([0, 10], [200 * 60, 1]), spotNodes(1, 10, 0, 'retaineddata'), plainWorld);
  isAbout(outcome.nodeHours.spot, hoursOf(16.5) + 7 * 24);
});

costs('of both kinds are told apart', () => {
  const both = formula(() => ({ targetLowPriorityNodes: 1, targetDedicatedNodes: 2 }));
  const { nodeHours, peakNodes } = simulate(requests([0, 10]), both, plainWorld);
  isAbout(nodeHours.dedicated, 2 * nodeHours.spot);
  assert.is(peakNodes, 3);
});

costs.run();

const service = suite('the service');

service('shows a sample only when it has arrived', () => {
  const seen: number[] = [];
  const look = formula((_, { history }) => {
    seen.push(history.latest('$PendingTasks', 1)[0] ?? -1);
    return { targetLowPriorityNodes: 0 };
  });
  // At 1:00 the sample of 0:00 is the newest that is a minute old: nobody had asked then.
  simulate(requests([0.1, 10]), look, plainWorld);
  assert.equal(seen.slice(0, 2), [0, 1]);
});

service('leaves the pool as it is when an evaluation fails, and tells how often and why', () => {
  const problem = { line: 3, column: 5, cause: 'There is no sample.' };
  const failing = formula(minutes => (minutes < 5 ? { targetLowPriorityNodes: 1 } : { error: problem }));
  const {
    peakNodes,
    failedEvaluations,
    evaluations,
    problem: told,
  } = simulate(requests([0, 1]), failing, plainWorld);
  assert.is(peakNodes, 1);
  assert.is(failedEvaluations, evaluations - 1);
  assert.equal(told, problem);
});

service('brings no Spot node while there is none, and goes on trying', () => {
  const world = { ...plainWorld, spotShort: [{ from: 0, to: 1 }] };
  // There at 60:00, with the image at 66:00.
  isAbout(simulate(requests([0, 10]), spotNodes(1), world).waitMinutes.max, 66.5);
});

service('does not go beyond the quota', () => {
  const outcome = simulate(requests([0, 10], [0, 10], [0, 10]), spotNodes(3), {
    ...plainWorld,
    quotaSpot: 2,
  });
  assert.is(outcome.peakNodes, 2);
});

service('changes the target of a resize that is going on, or leaves evaluations out meanwhile', () => {
  const world = { ...plainWorld, resizeSeconds: 400, bootMinutes: 0, pullSeconds: 0 };
  // Wanted at 1:00 and there at 7:40. At 6:00 two are wanted: both come at 7:40, or the second one an interval and more later.
  const more = formula(minutes => ({
    targetLowPriorityNodes: minutes < 5 ? 1 : 2,
    nodeDeallocationOption: 'taskcompletion',
  }));
  const two = requests([0, 60], [0, 60]);
  const longest = (whileResizing: 'replace' | 'wait') =>
    simulate(two, more, { ...world, whileResizing }).waitMinutes.max;
  isAbout(longest('replace'), 7 + 40 / 60 + 0.5);
  isAbout(longest('wait'), 11 + 400 / 60 + 0.5);
});

service('fills nodes one by one, or evenly', () => {
  const world = { ...plainWorld, slots: 2 };
  // Of two nodes one is taken away at 41:00: packed, nothing runs on it.
  const interrupted = (fill: 'pack' | 'spread') =>
    simulate(requests([30, 30], [30, 30]), spotNodes(2, 40, 1, 'requeue'), { ...world, fill }).interrupted;
  assert.is(interrupted('pack'), 0);
  assert.is(interrupted('spread'), 1);
});

service('counts a preempted node as a current one until it is there again, and queues its tasks anew', () => {
  const preempted: number[] = [];
  const look = formula((_, { history }) => {
    preempted.push(...history.latest('$PreemptedNodeCount', 20));
    return { targetLowPriorityNodes: 4, nodeDeallocationOption: 'taskcompletion' };
  });
  const many = requests(...Array.from({ length: 200 }, (_, index) => [index, 20] as const));
  const outcome = simulate(many, look, { ...plainWorld, evictionsPerHour: 1 });
  assert.ok(outcome.evictions > 5);
  assert.ok(outcome.interrupted > 0);
  assert.is(outcome.unserved, 0);
  assert.is(outcome.peakNodes, 4);
  assert.is(Math.max(...preempted) > 0, true);
});

service.run();
