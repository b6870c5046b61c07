import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clientOf, errorOf, Scratch, scriptTask, startBatch } from './batch/support.js';
import { agent, closeAll, start, webApi } from './devops/stack.js';

const clocks = suite('a service whose clock is wrong');
clocks.after.each(closeAll);

const minute = 60_000;
const isAbout = (time: Date | undefined, ms: number): void =>
  assert.ok(
    Math.abs((time?.getTime() ?? 0) - ms) < 30_000,
    `${time?.toISOString()} is not about ${new Date(ms).toISOString()}`,
  );

clocks('Azure DevOps dates its answers by it', async () => {
  const devops = await start({ skewSeconds: 600 });
  const { headers } = await fetch(devops.collectionUrl);
  isAbout(new Date(headers.get('date') ?? ''), Date.now() + 10 * minute);
  await (await agent(devops)).printed('registered');
  const [registered] = await (await webApi(devops).getTaskAgentApi()).getAgents(1);
  isAbout(registered?.createdOn, Date.now() + 10 * minute);
});

clocks('Batch dates its answers by it, and refuses requests that are dated 15 minutes off', async () => {
  const scratch = new Scratch();
  const batch = await startBatch(scratch.file('data'), { skewSeconds: -600 });
  try {
    const client = clientOf(batch);
    await client.job.add({ id: 'Job', poolInfo: { poolId: 'batchLinux' } });
    const expiresAt = new Date().toISOString();
    await client.task.add(
      'Job',
      scriptTask('t', '-v', { environmentSettings: [{ name: 'EXPIRES', value: expiresAt }] }),
    );
    const task = await client.task.get('Job', 't');
    isAbout(task.creationTime, Date.now() - 10 * minute);
    isAbout(task.lastModified, Date.now() - 10 * minute);
    assert.is(task.environmentSettings?.[0]?.value, expiresAt);
    for (const [skewSeconds, code] of [
      [960, 'AuthenticationFailed'],
      [-960, 'AuthenticationFailed'],
      [840, undefined],
    ] as const) {
      await fetch(`${batch.url}/_local/clock`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ skewSeconds }),
      });
      if (code === undefined) await client.job.get('Job');
      else assert.is((await errorOf(client.job.get('Job'))).code, code);
    }
  } finally {
    await batch.close();
    scratch.remove();
  }
});

clocks.run();
