import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { catalog, imagesFolder, repository } from '../../scripts/images/catalog.js';
import { type BuildRequest, planBuild, planImport } from '../../scripts/images/plan.js';
import { Refusal } from '../../scripts/images/refusal.js';
import { checksumOf, pinRelease, readRelease } from '../../scripts/images/release.js';
import { shown } from '../../scripts/images/run.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder } from '../support/temp-folder.js';

const sum = (digit: string): string => digit.repeat(64);
const release = { version: '9.1.2', sha256: { 'linux-x64': sum('a'), 'win-x64': sum('b') } };
const request: BuildRequest = { images: ['linux'], engine: 'docker', buildArgs: {}, engineOptions: [] };
const lines = (changes: Partial<BuildRequest>): readonly string[] =>
  planBuild({ ...request, ...changes }, release).map(call => shown(call).replaceAll(imagesFolder, 'IMAGES'));

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return assert.unreachable('nothing was refused') ?? '';
}

const building = suite('images build');

building('builds the Linux image with the pinned agent', () => {
  assert.equal(lines({}), [
    'docker build --tag azdo-agent:ubuntu-24.04-azdo --build-arg BASE=ubuntu:24.04 ' +
      `--build-arg AGENT_VERSION=9.1.2 --build-arg AGENT_SHA256=${sum('a')} IMAGES/linux`,
  ]);
});

building('builds for a registry, and pushes there', () => {
  const [build = '', push] = lines({
    push: 'contoso.azurecr.io',
    tag: 'mine',
    base: 'mirror.example/ubuntu:24.04',
  });
  assert.match(build, /--tag contoso\.azurecr\.io\/azdo-agent:mine .*BASE=mirror\.example\/ubuntu:24\.04/);
  assert.is(push, 'docker push contoso.azurecr.io/azdo-agent:mine');
});

building('gives the engine what is for the engine alone', () => {
  const engineOptions = ['--isolation', 'chroot', '--network', 'host', '--pull-never'];
  const [build = ''] = lines({ engine: 'buildah', engineOptions, buildArgs: { PACKAGES: '' } });
  assert.match(
    build,
    /^buildah bud .*--build-arg PACKAGES= --isolation chroot --network host --pull-never IMAGES\/linux$/,
  );
});

building('lets a registry build all of them, each for its system', () => {
  const all = lines({
    images: ['linux', 'windows-2022', 'windows-2025'],
    engine: 'acr',
    push: 'contoso.azurecr.io',
  });
  assert.is(all.length, 3);
  assert.match(
    all[0] ?? '',
    /^az acr build --registry contoso --image azdo-agent:ubuntu-24\.04-azdo --platform linux /,
  );
  assert.match(
    all[2] ?? '',
    /:windows-core-ltsc2025-azdo --platform windows --build-arg BASE=\S+servercore:ltsc2025 /,
  );
  assert.match(all[2] ?? '', new RegExp(`AGENT_SHA256=${sum('b')} IMAGES/windows$`));
});

building('builds a variant upon our image, under a tag that AgentBuildType can name', async () => {
  for (const variant of await readdir(join(imagesFolder, 'linux', 'variants'))) {
    assert.equal(lines({ variant }), [
      `docker build --tag azdo-agent:ubuntu-24.04-azdo-${variant} --build-arg BASE=azdo-agent:ubuntu-24.04-azdo ` +
        `IMAGES/linux/variants/${variant}`,
    ]);
  }
});

building('takes the checksum of another version with it, or not that version', () => {
  const message = refusal(() => lines({ buildArgs: { AGENT_VERSION: '9.9.9' } }));
  assert.match(message, /AGENT_VERSION=9\.9\.9 needs its AGENT_SHA256/);
  const [build = ''] = lines({ buildArgs: { AGENT_VERSION: '9.9.9', AGENT_SHA256: sum('c') } });
  assert.match(build, new RegExp(`AGENT_VERSION=9\\.9\\.9 --build-arg AGENT_SHA256=${sum('c')}`));
  assert.not.match(build, /9\.1\.2/);
});

building('refuses what can not be, all at once', () => {
  const message = refusal(() =>
    lines({ images: ['windows-2022'], engine: 'podman', tag: 'a/b', push: 'https://x', variant: 'java21' }),
  );
  for (const about of [
    /podman can't build Windows/,
    /--tag is not a tag/,
    /--push is not/,
    /--variant is for/,
  ])
    assert.match(message, about);
  assert.match(
    refusal(() => lines({ engine: 'acr' })),
    /say in which by --push/,
  );
  assert.match(
    refusal(() => lines({ images: ['linux', 'windows-2022'], tag: 'x' })),
    /--tag is for one.*\n.*one system/,
  );
});

building('refuses an agent without a checksum, and says where there is one', () => {
  const none = { version: '9.1.2', sha256: { 'linux-x64': null, 'win-x64': null } };
  const message = refusal(() => planBuild(request, none));
  assert.match(
    message,
    /no SHA-256 for linux-x64 of agent 9\.1\.2.*\/releases\/tag\/v9\.1\.2.*images -- pin 9\.1\.2 --linux-x64/,
  );
});

building('has the images that the default profiles and the article ask for', async () => {
  const settings = await readFile(join(root, 'shared', 'config', 'profiles.ts'), 'utf8');
  assert.ok(settings.includes(`'${repository}:${catalog.linux.tag}'`));
  assert.ok(settings.includes(`'${repository}:${catalog['windows-2022'].tag}'`));
});

building('names an engine that is not there, and what else could be done', async () => {
  const program = join(root, 'dist', 'scripts', 'images.js');
  const args = ['build', 'linux', '--build-arg', `AGENT_SHA256=${sum('c')}`, '--engine', 'buildah'];
  const { stderr, exitCode } = await execa(process.execPath, [program, ...args], {
    reject: false,
    env: { PATH: '/nowhere' },
  });
  assert.is(exitCode, 2);
  assert.is(stderr, 'There is no buildah here. Install buildah, or use another --engine.');
});

building.run();

const importing = suite('images import');

importing('copies by the registry itself', () => {
  const source = 'ghcr.io/contoso/azdo-agent:ubuntu-24.04-azdo';
  assert.is(
    shown(planImport({ registry: 'contoso.azurecr.io', source, force: false })),
    `az acr import --name contoso --source ${source} --image azdo-agent:ubuntu-24.04-azdo`,
  );
  assert.match(
    shown(planImport({ registry: 'contoso', source, tag: 'x', force: true })),
    /azdo-agent:x --force$/,
  );
});

importing('refuses a source without registry or tag, and names that are none', () => {
  for (const source of ['azdo-agent:1', 'ghcr.io/contoso/azdo-agent', 'user:password@ghcr.io/x:1']) {
    const message = refusal(() => planImport({ registry: '-', source, tag: '/', force: false }));
    assert.match(message, /--registry is not.*\n--tag is not.*\n--source is not/);
  }
});

importing.run();

const pinning = suite('images pin');
const folder = await makeTempFolder('images-');
const file = join(folder.path, 'agent.json');
pinning.before.each(() => writeFile(file, JSON.stringify(release)));
pinning.after(() => folder.remove());

pinning('forgets the checksums of another version', async () => {
  assert.equal(await pinRelease('9.2.0', { 'linux-x64': sum('D') }, file), ['win-x64']);
  const now = await readRelease(file);
  assert.equal(now, { version: '9.2.0', sha256: { 'linux-x64': sum('d'), 'win-x64': null } });
  assert.is(checksumOf(now, 'linux-x64'), sum('d'));
});

pinning('adds to the checksums of the same one', async () => {
  assert.equal(await pinRelease('9.1.2', { 'win-x64': sum('e') }, file), []);
  assert.equal((await readRelease(file)).sha256, { 'linux-x64': sum('a'), 'win-x64': sum('e') });
});

pinning('refuses what is no version and no checksum, and leaves the file as it was', async () => {
  await pinRelease('latest', { 'linux-x64': 'abc' }, file).then(
    () => assert.unreachable(),
    (error: unknown) => {
      assert.instance(error, Refusal);
      assert.match(String(error), /three numbers[^]*64 hexadecimal digits/);
    },
  );
  assert.equal(await readRelease(file), release);
});

pinning('refuses a file that is not what it should be', async () => {
  await writeFile(file, '{ "version": 5 }');
  await readRelease(file).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /agent\.json is not what it should be/),
  );
});

pinning('the release of this project can be read', async () => {
  assert.match((await readRelease()).version, /^\d/);
});

pinning.run();

const page = suite('the page about the images');
const text = await readFile(join(root, '.github', 'docs', 'images.md'), 'utf8');
const script = await readFile(join(imagesFolder, 'linux', 'start.sh'), 'utf8');

page('tells every variable that start.sh reads', () => {
  const read = new Set(script.match(/\b(?:AZDO|VSO)_[A-Z_]+\b/g));
  read.delete('AZDO_TOKEN_DESCRIPTOR');
  const told = new Set(
    [...text.matchAll(/^\| (`AZDO.*?) \|/gm)].flatMap(([row]) => row.match(/\b[A-Z]+_[A-Z_]+\b/g)),
  );
  assert.equal(
    [...read].filter(name => !told.has(name)),
    [],
  );
  assert.equal(
    [...told].filter(name => !read.has(name ?? '')),
    [],
  );
});

page('tells every exit code', () => {
  const codes = [...(/^readonly done=.*$/m.exec(script)?.[0] ?? '').matchAll(/=(\d+)/g)].map(
    ([, code]) => code,
  );
  const told = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code);
  assert.equal(told, codes);
});

page.run();
