import { execFile } from 'node:child_process';
import path from 'node:path';
import { TaskAgentStatus } from 'azure-devops-node-api/interfaces/TaskAgentInterfaces.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeHomeScripts } from '../../../scripts/local/agent/home-files.js';
import { root } from '../../../scripts/root.js';
import { closeAll, folder, logText, play, show, start, testFunction, webApi } from '../devops/stack.js';

/** What is made for the real agent meets here what it would meet in that one's folder. */
const home = suite('the folder of the real agent, with the local one in it');
home.after.each(closeAll);

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

async function makeHome(): Promise<
  (script: string, args?: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
> {
  const place = await folder();
  writeHomeScripts(place, `'${process.execPath}' '${root}/dist/scripts/local/agent/main.js'`);
  return (script, args = [], env = {}) =>
    new Promise(resolve => {
      const child = execFile(
        path.join(place, script),
        [...args],
        // From elsewhere: what belongs to the agent is in its folder, wherever it is started from.
        { cwd: '/', env: { PATH: process.env['PATH'], HOME: place, ...env } },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
      );
    });
}

home('is configured, runs one job, and is removed', async () => {
  const devops = await start();
  const input = {
    VSTS_AGENT_INPUT_URL: `${devops.collectionUrl}/`,
    VSTS_AGENT_INPUT_AUTH: 'pat',
    VSTS_AGENT_INPUT_TOKEN: devops.pat,
    VSTS_AGENT_INPUT_POOL: 'linux',
    VSTS_AGENT_INPUT_AGENT: 'eph-1',
  };
  const run = await makeHome();
  const agents = async () => (await webApi(devops).getTaskAgentApi()).getAgents(1, undefined, true);

  const configured = await run('config.sh', ['--unattended', '--acceptTeeEula'], {
    ...input,
    VSO_AGENT_IGNORE: 'HOME',
    AZDO_TOKEN: 'forgotten by who made the image',
  });
  assert.is(configured.code, 0, configured.output);
  const [agent] = await agents();
  assert.is(agent?.status, TaskAgentStatus.Offline, 'it is online only while it runs');
  assert.is(agent?.systemCapabilities?.['Agent.Name'], 'eph-1');
  assert.is(
    agent?.systemCapabilities?.['AZDO_TOKEN'],
    'forgotten by who made the image',
    'as the real one tells it',
  );
  assert.not.match(JSON.stringify(agent), devops.pat);
  assert.is(agent?.systemCapabilities?.['HOME'], undefined);

  const again = await run('config.sh', ['--unattended'], input);
  assert.is(again.code, 1);
  assert.match(again.output, 'already configured');

  const call = await testFunction();
  const once = run('run.sh', ['--once'], { MINE: 'yes', VSTS_AGENT_INPUT_TOKEN: devops.pat });
  const { runId } = await play(devops, {
    request: { function: call.url, key: 'k', waitForCompletion: false },
    job: { pool: 'linux', steps: [{ script: 'env; pwd; stat -c %a.%n ../../../.[ac]*' }] },
  });
  const view = await show(devops, runId, 10);
  const log = logText(view);
  assert.match(log, 'MINE=yes');
  assert.match(log, '_work/1/s');
  assert.match(log, '600.../../../.agent');
  assert.match(log, '600.../../../.credentials');
  assert.not.match(log, devops.pat);
  const ended = await once;
  assert.is(ended.code, 0, ended.output);
  assert.match(
    ended.output,
    /Z: Listening for Jobs\n.*Z: Running job: .*\n.*Z: Job .* completed with result: Succeeded\n/,
  );
  assert.is((await agents()).length, 1, 'it removes itself no more than the real one');

  assert.is((await run('config.sh', ['remove', '--unattended'], input)).code, 0);
  assert.equal(await agents(), []);
  const gone = await run('run.sh');
  assert.is(gone.code, 1);
  assert.match(gone.output, 'not configured');
});

home('says what is wrong by exit code 1 and a line', async () => {
  const devops = await start();
  const run = await makeHome();
  const input = (changes: Readonly<Record<string, string>>): string[] =>
    Object.entries({
      url: devops.collectionUrl,
      auth: 'PAT',
      token: devops.pat,
      pool: 'linux',
      agent: 'eph-1',
      ...changes,
    }).flatMap(([name, value]) => [`--${name}`, value]);
  const table: ReadonlyArray<readonly [args: readonly string[], line: string]> = [
    [input({ token: 'wrong' }), 'refused the token'],
    [input({ pool: 'nowhere' }), 'no agent pool "nowhere"'],
    [input({ agent: '' }), 'Invalid configuration provided for agent.'],
    [input({ auth: 'negotiate' }), 'no auth but PAT: negotiate'],
    [['--nonsense'], '--nonsense'],
    [['rename'], 'Unrecognized command-line input arguments: config rename'],
  ];
  const ends = await Promise.all(table.map(([args]) => run('config.sh', args)));
  for (const [index, [, line]] of table.entries()) {
    assert.is(ends[index]?.code, 1, line);
    assert.match(ends[index]?.output ?? '', line);
    assert.not.match(ends[index]?.output ?? '', devops.pat);
  }
  const nothing = await run('config.sh', ['remove', '--unattended'], { VSTS_AGENT_INPUT_AUTH: 'pat' });
  assert.is(nothing.code, 0, 'there is nothing to remove');
  assert.equal(await (await webApi(devops).getTaskAgentApi()).getAgents(1), []);
});

home.run();
