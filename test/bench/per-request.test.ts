import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ContenderName, RequestCost } from '../../scripts/bench/figure.js';
import { perRequest } from '../../scripts/bench/figures/per-request.js';
import { measureTiny } from './bench.js';

const figure = suite('what one request takes');

figure('is counted for each contender and both waits, without what all requests share', async () => {
  const { costs = [], goals = [], rows } = await measureTiny(perRequest);
  const of = (contender: ContenderName): readonly [RequestCost, RequestCost] => {
    const [short, long, ...more] = costs.filter(cost => cost.contender === contender);
    if (!short || !long || more.length > 0) throw new Error(`${contender} was not measured twice.`);
    assert.is(long.waitMs, 10 * short.waitMs);
    return [short, long];
  };

  for (const cost of of('ours')) {
    const { ownStorage, hostStorage } = cost;
    assert.is(ownStorage['queue send'], 1);
    assert.is(ownStorage['queue receive'], 1);
    assert.is(ownStorage['queue delete'], 1);
    assert.ok((ownStorage['table write'] ?? 0) + (ownStorage['table transaction'] ?? 0) > 2);
    assert.ok((hostStorage['table write'] ?? 0) > 0, 'Durable writes its history');
    // Neither the listings nor the lists of the watch, of which there was one a round.
    assert.ok((ownStorage['table query'] ?? 0) < 3);
    assert.ok(cost.devOpsCalls < 6, `${cost.devOpsCalls} calls`);
    assert.ok(cost.batchCalls < 5, `${cost.batchCalls} calls`);
    // One each to the intake and to the message; no timer runs.
    assert.is(cost.otherFunctions, 2);
    assert.ok(cost.episodes > cost.activities && cost.activities > 2);
    assert.ok(cost.historyBytes > cost.historyEvents);
    // At least one to create the task and one to delete it; to remove the agent; to release the pipeline.
    assert.ok(cost.batchCalls >= 2);
    assert.ok(cost.devOpsCalls >= 1);
    assert.ok(cost.callbackCalls >= 1);
  }

  const [short, long] = of('monitor');
  assert.is(short.callbackCalls, 1);
  assert.ok(long.activities > short.activities, 'each look is one more');
  assert.ok(long.historyEvents > short.historyEvents);
  assert.ok(long.devOpsCalls > short.devOpsCalls && long.batchCalls > short.batchCalls);
  assert.equal(long.ownStorage, {});

  for (const cost of of('article')) {
    assert.is(cost.batchCalls, 1);
    assert.is(cost.otherFunctions, 1);
    assert.is(cost.devOpsCalls + cost.callbackCalls + cost.episodes, 0);
    assert.equal(cost.ownStorage, {});
  }

  for (const cost of of('floor')) assert.equal(cost.ownStorage, { 'table insert': 1, 'queue send': 1 });

  // A round of the watch: one listing, one call each to Batch (and now and then to its pool) and to Azure DevOps.
  const watch = rows.find(({ contender }) => contender === 'the watch of ours, a round');
  assert.is(watch?.['own'], 1);
  assert.is(watch?.['devops'], 1);
  assert.is(goals.length, 2);
});

figure.run();
