import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import type { Samples } from '../../../scripts/local/autoscale/sample-recorder.js';
import type { PoolRecord } from '../../../scripts/local/batch/records.js';
import { Scaling } from '../../../scripts/local/batch/scaling.js';
import { pool } from './support.js';

/** By a clock that the tests move: half a minute is no time here. */

const scaling = suite('the scaling of a pool');

const start = Date.parse('2026-11-24T18:00:00Z');
const minute = 60_000;

const record = (changes: Parameters<typeof pool>[0], more: Partial<PoolRecord> = {}): PoolRecord => {
  const at = new Date(start).toISOString();
  return {
    version: 0,
    creationTime: at,
    lastModified: at,
    stateTransitionTime: at,
    config: pool(changes),
    changed: [],
    deleted: false,
    nodes: [],
    ...more,
  };
};

/** Lets a clock go on to each moment at which the pool wants to be looked at; returns what its formula said, and when. */
async function run(
  from: PoolRecord,
  minutes: number,
  measure: (minute: number) => Samples,
): Promise<string[]> {
  const subject = new Scaling();
  await subject.prepare(from.config.autoScaleFormula);
  const said: string[] = [];
  let current = from;
  for (let now = start; now <= start + minutes * minute; ) {
    const passed = (now - start) / minute;
    const { evaluated, wakeAt } = subject.advance(current, now, () => measure(passed));
    if (evaluated) {
      current = { ...current, autoScale: evaluated };
      said.push(`${passed} min: ${evaluated.run.error?.code ?? evaluated.targetDedicatedNodes}`);
    }
    assert.ok(wakeAt !== undefined && wakeAt > now, 'it must want to be looked at later');
    now = wakeAt ?? Number.POSITIVE_INFINITY;
  }
  return said;
}

const follow = '$TargetDedicatedNodes = max($PendingTasks.GetSample(TimeInterval_Minute * 5));';

scaling('samples every half minute, and evaluates every five minutes from the start', async () => {
  const said = await run(record({ id: 'p', autoScaleFormula: follow }), 15, passed => ({
    // A peak between two evaluations; what a formula sees of it is a sample.
    $PendingTasks: passed === 7 ? 9 : 1,
  }));
  assert.equal(said, ['0 min: 1', '5 min: 1', '10 min: 9', '15 min: 1']);
});

scaling('by samples that are late, goes on with the number of nodes it had', async () => {
  const late = record({ id: 'p', autoScaleFormula: follow, sampleDelayMs: 60_000 });
  assert.equal(await run(late, 5, () => ({ $PendingTasks: 4 })), [
    '0 min: InsufficientSampleData',
    '5 min: 4',
  ]);
});

scaling('evaluates and samples as often as the pool says', async () => {
  const often = record({
    id: 'p',
    autoScaleFormula: follow,
    autoScaleEvaluationMs: 60_000,
    sampleMs: 20_000,
  });
  const said = await run(often, 2, passed => ({ $PendingTasks: Math.round(passed * 3) }));
  assert.equal(said, ['0 min: 0', '1 min: 3', '2 min: 6']);
});

scaling('keeps its schedule over a restart, unless the formula is another', async () => {
  const autoScale = {
    formula: follow,
    run: { timestamp: new Date(start - 2 * minute).toISOString(), results: '' },
    targetDedicatedNodes: 7,
    targetLowPriorityNodes: 0,
    nodeDeallocationOption: 'requeue' as const,
  };
  const samples = (): Samples => ({ $PendingTasks: 2 });
  assert.equal(await run(record({ id: 'p', autoScaleFormula: follow }, { autoScale }), 4, samples), [
    '3 min: 2',
  ]);
  const other = '$TargetDedicatedNodes = $TargetDedicatedNodes + 1;';
  assert.equal(await run(record({ id: 'p', autoScaleFormula: other }, { autoScale }), 4, samples), [
    '0 min: 8',
  ]);
});

scaling('begins a new schedule with a new formula or interval, and keeps the samples', async () => {
  const subject = new Scaling();
  await subject.prepare(follow);
  const wants = (changes: Parameters<typeof pool>[0], now: number): number | undefined =>
    subject.advance(record(changes), now, () => ({ $PendingTasks: now === start ? 5 : 1 })).evaluated
      ?.targetDedicatedNodes;
  assert.is(wants({ id: 'p', autoScaleFormula: follow }, start), 5);
  assert.is(wants({ id: 'p', autoScaleFormula: follow }, start + minute), undefined);
  const slower = { id: 'p', autoScaleFormula: follow, autoScaleEvaluationMs: 600_000 };
  assert.is(wants(slower, start + minute), 5);
  assert.is(wants(slower, start + 9 * minute), undefined);
});

scaling('begins to sample at once where the pool is to be sampled more often', async () => {
  const subject = new Scaling();
  await subject.prepare(follow);
  let samples = 0;
  const wakeAt = (changes: Parameters<typeof pool>[0], now: number): number | undefined =>
    subject.advance(record({ autoScaleFormula: follow, ...changes }), now, () => {
      samples += 1;
      return {};
    }).wakeAt;
  wakeAt({ id: 'p' }, start);
  assert.is(wakeAt({ id: 'p', sampleMs: 1_000 }, start + 5_000), start + 6_000);
  assert.is(samples, 2);
});

scaling('leaves a pool without a formula alone', () => {
  const idle = new Scaling().advance(
    record({ id: 'p' }),
    start,
    () => assert.unreachable('it must not be sampled') ?? {},
  );
  assert.equal(idle, {});
});

scaling.run();
