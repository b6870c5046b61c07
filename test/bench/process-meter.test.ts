import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProcessMeter } from '../../scripts/bench/process-meter.js';

const meter = suite('the meter of a process');

meter('tells memory and CPU of a process, from the beginning of the measuring', async () => {
  const measuring = await ProcessMeter.start(process.pid);
  assert.ok(measuring.baselineMb > 10, `${measuring.baselineMb} MB`);
  const before = process.cpuUsage();
  const held = Buffer.alloc(200 * 1_024 * 1_024, 1);
  while (process.cpuUsage(before).user < 200_000) held.fill(2);
  const { peakMb, cpuSeconds } = await measuring.stop();
  assert.ok(peakMb > measuring.baselineMb + 150, `${measuring.baselineMb} MB, then ${peakMb} MB`);
  if (process.platform === 'linux') assert.ok((cpuSeconds ?? 0) >= 0.1, `${cpuSeconds} s`);
});

meter('refuses a process that is not there', async () => {
  try {
    await ProcessMeter.start(undefined);
  } catch {
    return;
  }
  assert.unreachable('it measured nothing');
});

meter.run();
