import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';

import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { splitCommandLine } from '../../../scripts/local/batch/command-line.js';
import { durationMs } from '../../../scripts/local/batch/duration.js';
import { commandFor } from '../../../scripts/local/batch/images.js';
import { Journal } from '../../../scripts/local/batch/journal.js';
import { dockerRun } from '../../../scripts/local/batch/runner-docker.js';
import { Scratch } from './support.js';

const durations = suite('ISO 8601 durations');
const hour = 3_600_000;
for (const [text, ms] of [
  ['PT1H30M', 1.5 * hour],
  ['PT0.25S', 250],
  ['P1DT1S', 24 * hour + 1_000],
  ['P7D', 7 * 24 * hour],
  ['P1W', 7 * 24 * hour],
  ['P10675199DT2H48M5.4775807S', 922_337_203_685_477.6],
  ['P', undefined],
  ['PT', undefined],
  ['1H', undefined],
  ['PT-1H', undefined],
] as const) {
  durations(`${text} → ${ms}`, () => {
    assert.is(durationMs(text), ms);
  });
}

const commandLines = suite('command lines');
for (const [text, words] of [
  ['', []],
  ['  a  b ', ['a', 'b']],
  ['/bin/sh -c "echo a; exit 3"', ['/bin/sh', '-c', 'echo a; exit 3']],
  ['sh -c \'echo "$HOME"\'', ['sh', '-c', 'echo "$HOME"']],
  [String.raw`cmd /c C:\tools\run.exe`, ['cmd', '/c', String.raw`C:\tools\run.exe`]],
  [String.raw`say "a \"quoted\" word" ""`, ['say', 'a "quoted" word', '']],
  ['a"b c"d', ['ab cd']],
] as const) {
  commandLines(`${text} → ${JSON.stringify(words)}`, () => {
    assert.equal(splitCommandLine(text), [...words]);
  });
}

const imageTable = suite('images');
imageTable('the first pattern that matches the whole name wins', () => {
  const images = [
    { image: '*azdo-agent:*', command: ['agent'] },
    { image: 'exact.io/a:1', command: ['exact'] },
  ];
  assert.equal(commandFor(images, 'myacr.azurecr.io/azdo-agent:ubuntu-22.04'), ['agent']);
  assert.equal(commandFor(images, 'EXACT.io/a:1'), ['exact']);
  assert.is(commandFor(images, 'exactXio/a:1'), undefined);
  assert.is(commandFor(images, 'exact.io/a:12'), undefined);
});

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

const journals = suite('journal');
const scratch = new Scratch();
journals.after(() => scratch.remove());

const contents = (file: string): string[] => {
  const { journal, entries } = Journal.open(file);
  journal.close();
  return entries.map(({ kind, key, value }) => `${kind} ${key} ${JSON.stringify(value)}`);
};

journals('holds the last value of each key, readable by its owner only', () => {
  const file = scratch.file('a.jsonl');
  const { journal } = Journal.open(file);
  journal.append('task', 'a', { state: 'active' });
  journal.append('task', 'b', { state: 'active' });
  journal.append('job', 'a', 1);
  journal.append('task', 'a', { state: 'completed' });
  journal.append('task', 'b', null);
  journal.close();
  assert.equal(contents(file), ['task a {"state":"completed"}', 'job a 1']);
  if (process.platform !== 'win32') assert.is(statSync(file).mode & 0o777, 0o600);
});

journals('a write torn by a kill costs that write alone, also for what is written after', () => {
  const file = scratch.file('b.jsonl');
  writeFileSync(file, '["task","a",1]\n["task","b",2]\n["task","c",{"torn":tr');
  const { journal, entries } = Journal.open(file);
  assert.is(entries.length, 2);
  journal.append('task', 'd', 4);
  journal.close();
  assert.equal(contents(file), ['task a 1', 'task b 2', 'task d 4']);
});

journals('forgets what is over when it is opened', () => {
  const file = scratch.file('c.jsonl');
  appendFileSync(file, '["task","a","s3cret"]\n["task","a",null]\n');
  assert.equal(contents(file), []);
  assert.not(readFileSync(file, 'utf8').includes('s3cret'));
});

durations.run();
commandLines.run();
imageTable.run();
containers.run();
journals.run();
