import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { writeHomeScripts } from '../../scripts/local/agent/home-files.js';
import type { RunningDevOps } from '../../scripts/local/devops/server.js';
import { root } from '../../scripts/root.js';
import { closeAll, logText, play, show, start, testFunction, webApi } from '../local/devops/stack.js';
import { Buildah, type ContainerRun, whyNoBuildah } from '../support/buildah.js';
import { suiteUnless } from '../support/suite-unless.js';
import { makeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

/** The image is built and run for real, on the least Debian, and with the local agent in place of the real one. */
const image = suiteUnless(whyNoBuildah(), 'the Linux image');

let buildah: Buildah;
let devops: RunningDevOps;
let download: http.Server;
let archive: Buffer;
let entrypoint: readonly string[];
let container: string;
const runs: ContainerRun[] = [];

const Config = z.object({
  OCIv1: z.object({ config: z.object({ Entrypoint: z.array(z.string()), User: z.string() }) }),
});

image.before(async () => {
  buildah = new Buildah((await makeTempFolder('linux-image-')).path);
  [devops, archive] = await Promise.all([
    start(),
    agentArchive(join(buildah.folder, 'agent')),
    buildah.importBase(),
  ]);
  download = http.createServer((_request, response) => response.end(archive)).listen(0, '127.0.0.1');
  await waitFor('the download', () => download.listening);
  await buildImage(createHash('sha256').update(archive).digest('hex'));
  container = await buildah.do('from', '--pull-never', 'agent');
  const { config } = Config.parse(JSON.parse(await buildah.do('inspect', container))).OCIv1;
  assert.is(config.User, 'agent');
  entrypoint = config.Entrypoint;
});
image.after(async () => {
  for (const { child } of runs) child.kill('SIGKILL');
  await Promise.all(runs.map(({ exit }) => exit));
  download.close();
  await buildah.remove();
  await closeAll();
});

/** What the real agent is downloaded as, with the local one in it. */
async function agentArchive(folder: string): Promise<Buffer> {
  writeHomeScripts(folder, '/usr/local/bin/node "$here/agent.mjs"');
  await build({
    entryPoints: [join(root, 'dist/scripts/local/agent/main.js')],
    outfile: join(folder, 'agent.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  await execa('tar', ['-czf', `${folder}.tar.gz`, '-C', folder, '.']);
  return readFile(`${folder}.tar.gz`);
}

async function buildImage(checksum: string): Promise<void> {
  const address = z.object({ port: z.int() }).parse(download.address());
  const given = {
    BASE: 'localhost/base',
    // The base has them.
    PACKAGES: '',
    AGENT_VERSION: '0.0.0',
    AGENT_SHA256: checksum,
    AGENT_URL: `http://127.0.0.1:${address.port}/agent.tar.gz`,
  };
  await buildah.do(
    'bud',
    '--pull-never',
    '--tag',
    'agent',
    ...Object.entries(given).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    join(root, 'infra/images/linux'),
  );
}

/** Starts the container as Batch does. */
function startAgent(name: string): ContainerRun {
  const run = buildah.run(container, entrypoint, {
    AZDO_URL: devops.collectionUrl,
    AZDO_POOL: 'linux',
    AZDO_AGENT: name,
    AZDO_AGENT_DISPOSE: 'true',
    AZDO_TOKEN: devops.pat,
  });
  runs.push(run);
  return run;
}

const listens = (run: ContainerRun): Promise<true> =>
  waitFor('an agent that listens', () => {
    if (run.child.exitCode !== null) throw new Error(run.output());
    return run.output().includes('Listening for Jobs');
  });
const registered = async (): Promise<unknown[]> =>
  (await webApi(devops).getTaskAgentApi()).getAgents(1, undefined, true);

image(
  'runs one job, as a user who is not root and without the token, and leaves no registration',
  async () => {
    const agent = startAgent('one-1');
    await listens(agent);
    const told = JSON.stringify(await registered());
    assert.match(told, 'one-1');
    assert.not.match(told, devops.pat);
    const call = await testFunction();
    const { runId } = await play(devops, {
      request: { function: call.url, key: 'k', waitForCompletion: false },
      job: { pool: 'linux', steps: [{ script: 'echo "$(whoami) in $PWD"; cat /proc/[0-9]*/environ; env' }] },
    });
    const view = await show(devops, runId, 15);
    assert.is(view.result, 'succeeded', logText(view));
    assert.match(logText(view), 'agent in /azp/agent/_work/1/s');
    assert.not.match(logText(view), devops.pat);
    assert.is(await agent.exit, 0, agent.output());
    assert.match(agent.output(), 'completed with result: Succeeded');
    assert.equal(await registered(), []);
  },
);

image('refuses a name that has had its job', async () => {
  const again = startAgent('one-1');
  // Not its words: what a container prints in its last moment does not always come through, and they have tests of their own.
  assert.is(await again.exit, 12, again.output());
  assert.equal(await registered(), []);
});

image('takes its leave when it is asked to end', async () => {
  const agent = startAgent('two-1');
  await listens(agent);
  agent.stop();
  assert.is(await agent.exit, 0, agent.output());
  assert.match(agent.output(), 'unregistered two-1');
  assert.equal(await registered(), []);
});

image('is not built of a download that has another checksum', async () => {
  const wrong = 'a'.repeat(64);
  try {
    await buildImage(wrong);
  } catch (error) {
    assert.match(String(error), 'is not what AGENT_SHA256 says');
    return;
  }
  assert.unreachable('it was built');
});

image.run();
