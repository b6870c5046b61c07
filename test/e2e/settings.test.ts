import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inheritedEnvironment } from '../../scripts/local/stack/environment.js';
import { programs } from '../../scripts/local/stack/programs.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder } from '../support/temp-folder.js';

/** Starts the host alone with these settings, and gives what it printed and how it ended. */
async function startHost(
  settings: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const folder = await makeTempFolder('settings-');
  try {
    const host = spawn(process.execPath, [programs.host, '--app', root, '--data', folder.path], {
      env: { ...inheritedEnvironment(), FUNCTIONS_WORKER_RUNTIME: 'node', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => host.kill('SIGKILL'), 20_000);
    const exit = new Promise<number | null>(resolve => host.once('exit', resolve));
    const [out, err, code] = await Promise.all([text(host.stdout), text(host.stderr), exit]);
    clearTimeout(timer);
    return { code, output: out + err };
  } finally {
    await folder.remove();
  }
}

const settings = suite('settings at start');

settings('that are all missing are named in one error', async () => {
  const { code, output } = await startHost({});
  assert.is(code, 1);
  for (const name of ['AzureWebJobsStorage', 'BatchAccountUrl', 'AzDOUrl', 'CallbackTokenKey']) {
    assert.match(output, `${name} is missing`);
  }
  assert.match(output, 'No profile is configured: set AzDOUbuntuPool, AzDOWindowsPool or AgentProfiles.');
  assert.not.match(output, 'is ready at');
});

settings('that are malformed are named in one error, and no secret is shown', async () => {
  const secrets = {
    AzureWebJobsStorage: 'SecretStorage;Key=c2VjcmV0MQ==',
    BatchAccountKey: 'secret-that-is-not-base64!',
    AzDOToken: 'secret token with spaces',
    CallbackTokenKey: 'c2VjcmV0LXRvby1zaG9ydA==',
  };
  const { code, output } = await startHost({
    ...secrets,
    BatchAccountUrl: 'http://batch.example',
    AzDOUrl: 'dev.azure.com/contoso',
    AgentProfiles: JSON.stringify({ ubuntu: { batchPool: 'has space', attempts: 99 } }),
    WatchSeconds: 'often',
    ReplyQueues: 'UPPER',
    AllowedPlanHosts: 'https://not-a-host/',
  });
  assert.is(code, 1);
  for (const name of [
    ...Object.keys(secrets),
    'BatchAccountName',
    'BatchAccountUrl',
    'AzDOUrl',
    'AgentProfiles at ubuntu.devOpsPool',
    'AgentProfiles at ubuntu.batchPool',
    'AgentProfiles at ubuntu.attempts',
    'WatchSeconds',
    'ReplyQueues',
    'AllowedPlanHosts',
  ]) {
    assert.match(output, name);
  }
  assert.is(output.match(/settings need attention/g)?.length, 1, 'one error');
  assert.match(output, 'WatchSeconds: must be a number from 0.2 to 300 (it is "often").');
  assert.not.match(output, /^ +at /m, 'no stack');
  for (const secret of Object.values(secrets)) assert.not.match(output, secret);
  assert.not.match(output, 'c2VjcmV0');
});

settings.run();
