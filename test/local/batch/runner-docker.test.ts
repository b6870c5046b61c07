import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter } from 'node:path';

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { dockerRun } from '../../../scripts/local/batch/runner-docker.js';
import { clientOf, pool, Scratch, startBatch, taskIn, textOf } from './support.js';

const containers = suite('docker run');
const request = {
  runId: '11111111-2222-3333-4444-555555555555',
  taskDir: '/data/workitems/j/t',
  workDir: '/data/workitems/j/t/wd',
  runDir: '/data/runs/1',
  signal: new AbortController().signal,
};
const dockerEnv = { PATH: '/usr/bin', DOCKER_HOST: 'unix:///x' };

containers('names variables, and never gives a value on the command line', () => {
  const run = dockerRun(
    {
      ...request,
      spec: {
        id: 't',
        commandLine: '',
        containerSettings: { imageName: 'acr.io/azdo-agent:1', containerRunOptions: '--rm --user "a b"' },
        environmentSettings: [{ name: 'AZDO_TOKEN', value: 's3cret' }],
      },
      env: { AZDO_TOKEN: 's3cret', AZ_BATCH_JOB_ID: 'j', PATH: '/ours', HOME: '/ours' },
    },
    dockerEnv,
  );
  assert.equal(run.argv, [
    'docker',
    'run',
    '--rm',
    '--name',
    `batch-${request.runId}`,
    '--network',
    'host',
    '--volume',
    '/data/workitems/j/t:/data/workitems/j/t',
    '--workdir',
    '/data/workitems/j/t/wd',
    '--env',
    'AZDO_TOKEN',
    '--env',
    'AZ_BATCH_JOB_ID',
    '--rm',
    '--user',
    'a b',
    'acr.io/azdo-agent:1',
  ]);
  assert.equal(run.env, { ...dockerEnv, AZDO_TOKEN: 's3cret', AZ_BATCH_JOB_ID: 'j' });
  assert.is(run.envFile, '');
  assert.is(run.container, `batch-${request.runId}`);
});

containers(
  "keeps the image's working directory, the chosen network, and what would mislead docker itself in a file",
  () => {
    const run = dockerRun(
      {
        ...request,
        spec: {
          id: 't',
          commandLine: 'run "this one"',
          containerSettings: {
            imageName: 'i',
            workingDirectory: 'containerImageDefault',
            containerRunOptions: '--network=none',
          },
          environmentSettings: [{ name: 'DOCKER_HOST', value: 'tcp://inside' }],
        },
        env: { DOCKER_HOST: 'tcp://inside', HOME: '/ours' },
      },
      dockerEnv,
    );
    assert.equal(run.argv.slice(5), [
      '--volume',
      '/data/workitems/j/t:/data/workitems/j/t',
      '--env-file',
      '/data/runs/1/env',
      '--network=none',
      'i',
      'run',
      'this one',
    ]);
    assert.is(run.envFile, 'DOCKER_HOST=tcp://inside\n');
    assert.equal(run.env, dockerEnv);
  },
);

/** A `docker` command that does as its engine would, for one good image. */
const fakeDocker = (log: string): string => `#!/bin/sh
echo "$*" >> "${log}"
case "$1 $2" in
  "version --format") echo 28 ;;
  "image inspect") [ "$3" = acr.test/here:1 ] ;;
  "pull acr.test/private:1") echo "unauthorized: authentication required" >&2; exit 1 ;;
  "pull acr.test/gone:1") echo "manifest unknown" >&2; exit 1 ;;
  "pull acr.test/far:1") exit 0 ;;
  "run --rm")
    for word; do [ "$word" = --privileged ] && { echo "not allowed" >&2; exit 125; }; done
    echo "token $AZDO_TOKEN, task $AZ_BATCH_TASK_ID"; exit 4 ;;
esac
`;

const engine = suite('tasks as containers');
const scratch = new Scratch();
const path = process.env['PATH'];
engine.before(() => {
  mkdirSync(scratch.file('bin'));
  writeFileSync(scratch.file('bin/docker'), fakeDocker(scratch.file('docker.log')), { mode: 0o755 });
  process.env['PATH'] = `${scratch.file('bin')}${delimiter}${path ?? ''}`;
});
engine.after(() => {
  process.env['PATH'] = path;
  scratch.remove();
});

if (process.platform !== 'win32') {
  engine('where an engine answers, images run in it, and its failures are told by their codes', async () => {
    const batch = await startBatch(scratch.file('data'), { runner: 'auto', pools: [pool({ id: 'p' })] });
    try {
      assert.is(batch.runner, 'docker');
      const client = clientOf(batch);
      await client.job.add({ id: 'job', poolInfo: { poolId: 'p' } });
      const codeOf = async (id: string, imageName: string, containerRunOptions?: string): Promise<string> => {
        await client.task.add('job', {
          id,
          commandLine: '',
          containerSettings: { imageName, ...(containerRunOptions !== undefined && { containerRunOptions }) },
          environmentSettings: [{ name: 'AZDO_TOKEN', value: 's3cret' }],
        });
        const { executionInfo } = await taskIn(client, 'job', id, 'completed');
        return `${executionInfo?.failureInfo?.code} ${executionInfo?.exitCode ?? ''}`;
      };
      assert.is(await codeOf('here', 'acr.test/here:1'), 'FailureExitCode 4');
      assert.is(
        await textOf(await client.file.getFromTask('job', 'here', 'stdout.txt')),
        'token s3cret, task here\n',
      );
      assert.is(await codeOf('far', 'acr.test/far:1'), 'FailureExitCode 4');
      assert.is(await codeOf('gone', 'acr.test/gone:1'), 'ContainerInvalidImage ');
      assert.is(await codeOf('private', 'acr.test/private:1'), 'ContainerInvalidRegistry ');
      assert.is(await codeOf('settings', 'acr.test/here:1', '--privileged'), 'ContainerInvalidSettings 125');
      assert.not(readFileSync(scratch.file('docker.log'), 'utf8').includes('s3cret'));
    } finally {
      await batch.close();
    }
  });
}

containers.run();
engine.run();
