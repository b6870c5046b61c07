import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { waiting } from '../../scripts/bench/figures/waiting.js';
import { scales } from '../../scripts/bench/scale.js';
import { measureTiny } from './bench.js';

const figure = suite('calls while requests wait');

figure('stay the same for ours, seeded requests included, and grow with each for the monitor', async () => {
  const { rows, curves = [] } = await measureTiny(waiting);
  const of = (contender: string, key: string): readonly unknown[] =>
    rows.filter(row => row['contender'] === contender).map(row => row[key]);

  assert.equal(of('ours', 'waiting'), scales.tiny.waiting);
  assert.equal(of('ours', 'how'), ['asked for', 'seeded']);
  assert.equal(of('ours', 'lookDevops'), [1, 1]);
  const [batchForOne, batchForMore] = of('ours', 'lookBatch').map(Number);
  assert.ok((batchForOne ?? 0) >= 1);
  // Whether the pool is asked once or twice in so many rounds is a matter of milliseconds.
  assert.ok(Math.abs((batchForMore ?? 0) - (batchForOne ?? 0)) < 0.5);

  assert.equal(of('monitor', 'waiting'), scales.tiny.waiting);
  const [one, three] = of('monitor', 'devops').map(Number);
  assert.ok((three ?? 0) > 2 * (one ?? 0), `${three} calls a minute for three, ${one} for one`);

  const ours = curves.find(({ name }) => name === 'waiting-devops')?.series[0];
  assert.equal(
    ours?.points.map(({ x }) => x),
    scales.tiny.waiting,
  );
});

figure.run();
