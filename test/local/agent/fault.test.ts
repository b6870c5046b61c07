import { existsSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunningDevOps } from '../../../scripts/local/devops/server.js';
import {
  agent,
  closeAll,
  folder,
  logText,
  type Process,
  play,
  show,
  start,
  testFunction,
  until,
  webApi,
} from '../devops/stack.js';

const faults = suite('an agent that misbehaves');
faults.after.each(closeAll);

const told = (
  devops: RunningDevOps,
  fault: object,
  env: Readonly<Record<string, string>> = {},
): Promise<Process> => agent(devops, { ...env, AZDO_LOCAL_FAULT: JSON.stringify(fault) });

const registered = async (devops: RunningDevOps): Promise<unknown[]> =>
  (await webApi(devops).getTaskAgentApi()).getAgents(1);

/** Plays a pipeline whose job leaves a file, and waits before and after. */
async function job(devops: RunningDevOps, script: string): Promise<string> {
  const call = await testFunction();
  const { runId } = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps: [{ script }] },
  });
  return runId;
}

faults('ends at once, with the code it was given', async () => {
  const devops = await start();
  assert.is(await (await told(devops, { does: 'exit', exitCode: 3 })).exit, 3);
  assert.equal(await registered(devops), []);
});

faults('never registers, and ends when it is asked to', async () => {
  const devops = await start();
  const never = await told(devops, { does: 'neverRegister' });
  await never.printed('Told never to register');
  // Another that is started later is there before.
  await (await agent(devops, { AZDO_AGENT: 'eph-2' })).printed('registered');
  assert.is((await registered(devops)).length, 1);
  never.child.kill('SIGTERM');
  assert.is(await never.exit, 0, never.output());
});

faults('registers late', async () => {
  const devops = await start();
  const late = await told(devops, { does: 'registerLate', afterMs: 400 });
  const began = Date.now();
  await late.printed('registered');
  assert.ok(Date.now() - began >= 400);
});

faults('dies before its job: its registration stays', async () => {
  const devops = await start();
  const dying = await told(devops, { does: 'dieBeforeJob', afterMs: 50 });
  await dying.exit;
  assert.is(dying.child.signalCode, 'SIGKILL');
  assert.is((await registered(devops)).length, 1);
});

faults('dies in the middle of its job, and its step with it', async () => {
  const devops = await start({ lockMs: 600 });
  const dying = await told(devops, { does: 'dieInJob', afterMs: 400 });
  await dying.printed('registered');
  const mark = path.join(await folder(), 'mark');
  const runId = await job(devops, `echo $$ > ${mark}; sleep 60`);
  await dying.exit;
  assert.is(dying.child.signalCode, 'SIGKILL');
  assert.ok(existsSync(mark), 'the job had begun');
  const view = await show(devops, runId, 10);
  assert.is(view.result, 'failed');
  assert.match(logText(view), 'stopped hearing from agent');
});

faults('on a node whose clock is ahead it comes too late, and says so', async () => {
  const devops = await start();
  const inFiveMinutes = { AZDO_EXPIRES_AT: new Date(Date.now() + 300_000).toISOString() };
  const ahead = await told(devops, { does: 'skewClock', seconds: 600 }, inFiveMinutes);
  assert.is(await ahead.exit, 13);
  assert.match(ahead.output(), /was to be started before .*clock/s);
  const behind = await told(devops, { does: 'skewClock', seconds: -600 }, inFiveMinutes);
  await behind.printed('registered');
});

faults('what it was told is in no capability and no job', async () => {
  const devops = await start();
  const quiet = await told(devops, { does: 'skewClock', seconds: 1 });
  await quiet.printed('registered');
  assert.not.match(JSON.stringify(await registered(devops)), 'AZDO_LOCAL_FAULT');
  const runId = await job(devops, 'env');
  const view = await until('the job is over', async () => {
    const now = await show(devops, runId);
    return now.state === 'completed' ? now : undefined;
  });
  assert.match(logText(view), 'AZDO_POOL=linux');
  assert.not.match(logText(view), 'AZDO_LOCAL_FAULT');
});

faults.run();
