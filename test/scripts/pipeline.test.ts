import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type RunningDevOps } from '../../scripts/local/devops/server.js';
import { readPipeline } from '../../scripts/local/devops/yaml/read-pipeline.js';
import { collectFiles } from '../../scripts/pipeline/collect-files.js';
import { root } from '../../scripts/root.js';
import { noteRunningApp } from '../../scripts/running-app.js';
import { closeAll, folder, start, testFunction } from '../local/devops/stack.js';

const command = suite('npm run pipeline');
command.after.each(closeAll);

const key = 'function-key-7a1d';
const program = path.join(root, 'dist', 'scripts', 'pipeline.js');

/** A data folder as `npm start` leaves it while it runs. */
async function dataOf(devops: RunningDevOps, appUrl: string): Promise<string> {
  const data = await folder();
  await mkdir(path.join(data, 'host'));
  await writeFile(path.join(data, 'host', 'keys.json'), JSON.stringify({ functionKeys: { default: key } }));
  await noteRunningApp(data, { url: appUrl, pid: process.pid, devopsUrl: devops.url });
  return data;
}

const run = async (args: readonly string[], cwd: string, env: Record<string, string> = {}) =>
  execa(process.execPath, [program, ...args], { cwd, env, reject: false, all: true });

const pipeline = `
parameters:
  - { name: profile, type: string }
variables:
  - group: azdo-batch-agents
jobs:
  - template: parts/ask.yml
    parameters:
      profile: \${{ parameters.profile }}
`;
const template = `
parameters:
  - { name: profile, type: string }
jobs:
  - job: Ask
    pool: server
    steps:
      - task: AzureFunction@1
        inputs:
          function: $(agentsAppUrl)
          key: $(agentsFunctionKey)
          body: '\${{ parameters.profile }} $(colour) $(password)'
`;

command('reads no file outside of the repository, which a pipeline elsewhere has, too', async () => {
  const outer = await folder();
  const repository = path.join(outer, 'repository');
  await mkdir(path.join(repository, '.git'), { recursive: true });
  await mkdir(path.join(repository, 'ci'));
  await writeFile(path.join(outer, 'secret.yml'), 'jobs: []');
  await writeFile(path.join(repository, 'shared.yml'), 'jobs: []');
  const includes = 'jobs:\n  - template: ../shared.yml\n  - template: ../../secret.yml\n';
  await writeFile(path.join(repository, 'ci', 'main.yml'), includes);
  for (const from of [repository, outer, root]) {
    const { path: main, files } = await collectFiles(path.join(repository, 'ci', 'main.yml'), from);
    const inOuter = from === outer ? 'repository/' : '';
    assert.is(main, `${inOuter}ci/main.yml`);
    assert.is(Object.hasOwn(files, `${inOuter}shared.yml`), true);
    assert.is(Object.hasOwn(files, '../secret.yml'), false);
  }
});

command('reads the pipelines that the documents show', async () => {
  const { files } = await collectFiles('infra/pipelines/examples/linux.yml', root);
  for (const page of ['README.md', '.github/docs/pipelines.md']) {
    const text = await readFile(path.join(root, page), 'utf8');
    const shown = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
    const pipelines = shown.filter(yaml => yaml.includes('\njobs:'));
    assert.ok(pipelines.length > 0, page);
    for (const yaml of pipelines) {
      // Their own repository is all that the player knows.
      const own = yaml.replace(/resources:[\s\S]*?\n\n/, '').replaceAll('@agents', '');
      const read = readPipeline({
        path: 'shown.yml',
        files: { ...files, 'shown.yml': own },
        parameters: {},
        variables: {},
        groups: { 'azdo-batch-agents': {} },
      });
      assert.equal(read.ok ? [] : read.problems, [], `${page}\n${yaml}`);
    }
  }
});

command('plays a file and its templates, shows the log, and ends as the run does', async () => {
  const devops = await start();
  const call = await testFunction(({ body }) => (body.startsWith('bad') ? { status: 400, body: 'no' } : {}));
  const data = await dataOf(devops, call.url);
  const work = await folder();
  await mkdir(path.join(work, 'parts'));
  await writeFile(path.join(work, 'main.yml'), pipeline);
  await writeFile(path.join(work, 'parts', 'ask.yml'), template);
  const given = ['--data', data, '--variable', 'colour=red', '--secret', 'password'];
  const args = (profile: string): string[] => ['main.yml', ...given, '--parameter', `profile=${profile}`];
  const good = await run(args('good'), work, { password: 'a-password' });
  assert.is(good.exitCode, 0, good.all);
  assert.is(call.received[0]?.body, 'good red a-password');
  assert.match(call.received[0]?.url ?? '', key);
  assert.match(good.stdout, 'Request body: good red ***');
  assert.match(good.stdout, 'Run succeeded.');
  assert.not.match(good.all, key);

  const bad = await run(args('bad'), work, { password: 'a-password' });
  assert.is(bad.exitCode, 1);
  assert.match(bad.stdout, 'The function answered 400');

  const without = await run(args('good'), work);
  assert.is(without.exitCode, 2);
  assert.is(without.stderr, 'The environment variable password is not set.');
});

command('says what is wrong with a pipeline, and where nothing could play it', async () => {
  const devops = await start();
  const data = await dataOf(devops, 'http://127.0.0.1:1');
  const work = await folder();
  await writeFile(path.join(work, 'main.yml'), 'stages: []\n');
  const refused = await run(['main.yml', '--data', data], work);
  assert.is(refused.exitCode, 2);
  assert.is(
    refused.stderr,
    'The pipeline is refused:\nmain.yml:1:1: stages of a pipeline is not played here: write the jobs of all stages as jobs, with dependsOn',
  );
  const gone = await run(['gone.yml', '--data', data], work);
  assert.is(gone.exitCode, 2);
  assert.match(gone.stderr, /^gone\.yml can't be read: /);
  const nowhere = await run(['main.yml', '--data', path.join(work, 'none')], work);
  assert.is(nowhere.exitCode, 3);
  assert.match(nowhere.stderr, 'start the product with `npm start`');
});

command.run();
