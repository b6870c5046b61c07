import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { makePackage } from '../../scripts/package/make-package.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { readZip } from '../support/unzip.js';

const Made = z.object({
  zip: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  files: z.number(),
  packages: z.number(),
  commit: z.string(),
});
type Made = z.infer<typeof Made>;

const commit = '0123456789abcdef0123456789abcdef01234567-dirty';
const program = join('dist', 'scripts', 'package.js');

/** What the package is made of and by, as somebody would unpack it somewhere else. */
const sources = ['functions', 'shared', 'host.json', 'package.json', 'package-lock.json', 'LICENSE'];
const tools = ['package', 'dashboard', 'package.js', 'root.js', 'group-by.js'];

/** A machine where everything is otherwise: folder, user, home, time zone, language, umask, and no git. */
const elsewhere = { user: 'zuleika', home: '/home/zuleika-dobson', place: 'a çlearing in the woods' };

async function makeElsewhere(folder: string): Promise<Made> {
  const place = join(folder, elsewhere.place);
  // Made in another order, as a file system may tell them.
  for (const path of [...sources, ...tools.map(each => join('dist', 'scripts', each))].toReversed()) {
    await mkdir(dirname(join(place, path)), { recursive: true });
    await cp(join(root, path), join(place, path), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'), 'junction');
  const { stdout } = await execa({
    cwd: place,
    shell: true,
    env: {
      HOME: elsewhere.home,
      USER: elsewhere.user,
      LOGNAME: elsewhere.user,
      TZ: 'Asia/Kathmandu',
      LANG: 'tr_TR.UTF-8',
      LC_ALL: 'tr_TR.UTF-8',
      NODE_V8_COVERAGE: undefined,
    },
  })`umask 077 && ${process.execPath} ${program} --json --commit ${commit}`;
  return Made.parse(JSON.parse(stdout));
}

async function makeHere(out: string): Promise<Made> {
  const args = [program, '--json', '--commit', commit, '--out', out];
  const { stdout } = await execa(process.execPath, args, { cwd: root, env: { TZ: 'America/St_Johns' } });
  return Made.parse(JSON.parse(stdout));
}

let temp: TempFolder;
let here: Made;
let there: Made;
let files: ReadonlyMap<string, string>;

const made = suite('npm run package');

made.before(async () => {
  temp = await makeTempFolder('package-');
  [here, there] = await Promise.all([makeHere(join(temp.path, 'here')), makeElsewhere(temp.path)]);
  const decoder = new TextDecoder();
  files = new Map([...(await readZip(here.zip))].map(([path, contents]) => [path, decoder.decode(contents)]));
});
made.after(async () => temp.remove());

const file = (path: string): string => {
  const text = files.get(path);
  if (text === undefined) throw new Error(`${path} is not in the zip.`);
  return text;
};

made(
  'gives the same bytes in another folder, by another user, in another time zone, language and umask',
  async () => {
    assert.is(there.sha256, here.sha256);
    assert.ok((await readFile(here.zip)).equals(await readFile(there.zip)));
  },
);

made('names nothing of the machine that made it, in code, source maps or anything else', () => {
  const words = [root, temp.path, elsewhere.place, elsewhere.home, elsewhere.user];
  const telling = [...files].flatMap(([path, text]) =>
    words.filter(word => text.includes(word)).map(word => `${path}: ${word}`),
  );
  assert.equal(telling, []);
  const Map = z.object({ sources: z.array(z.string()) });
  const mapped = [...files]
    .filter(([path]) => path.endsWith('.map'))
    .flatMap(([, text]) => Map.parse(JSON.parse(text)).sources);
  assert.ok(mapped.length > 500, `only ${mapped.length} sources were seen`);
  assert.equal(
    mapped.filter(
      path =>
        !/^(?:webpack:\/\/|\.\.\/(?:functions|shared|node_modules)\/|put-off:|package-folder:|built-page:|<stdin>|\.\.\/<stdin>)/.test(
          path,
        ),
    ),
    [],
  );
});

made('holds what a host asks for at its top, and neither settings, sources nor node_modules', () => {
  const { main, type, gitHead } = z
    .object({ main: z.string(), type: z.string(), gitHead: z.string() })
    .parse(JSON.parse(file('package.json')));
  assert.ok(files.has(main));
  assert.is(type, 'module');
  assert.is(gitHead, commit);
  assert.match(file('host.json'), 'Microsoft.Azure.Functions.ExtensionBundle');
  assert.not.match(file('package.json'), /dependencies|scripts/i);
  const expected =
    /^(?:(?:@opentelemetry-)?[\w.-]+\.c?js(?:\.map|\.LEGAL\.txt)?|host\.json|package\.json|bom\.cdx\.json|LICENSE|THIRD-PARTY-NOTICES\.txt|azure-devops-node-api\/package\.json)$/;
  assert.equal(
    [...files.keys()].filter(path => !expected.test(path)),
    [],
  );
});

made('is small, and says so', () => {
  assert.ok(here.bytes < 5_000_000, `${here.bytes}`);
  assert.is(here.files, files.size);
});

const Bill = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
  metadata: z.strictObject({
    lifecycles: z.array(z.unknown()),
    component: z.object({ name: z.string(), version: z.string(), properties: z.array(z.unknown()) }),
  }),
  components: z.array(
    z.object({
      group: z.string().optional(),
      name: z.string(),
      version: z.string(),
      purl: z.string().regex(/^pkg:npm\/(?:%40[^/@]+\/)?[^/@]+@\d/),
      licenses: z.tuple([z.object({ license: z.object({ id: z.string() }) })]),
      hashes: z.tuple([z.object({ alg: z.literal('SHA-512'), content: z.string().length(128) })]),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
});

const billed = (): z.infer<typeof Bill> => Bill.parse(JSON.parse(file('bom.cdx.json')));
const ids = (): readonly string[] =>
  billed().components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`);

const Version = z.object({ version: z.string() });
const inPackage = /"\.\.\/((?:[^"]*\/)?node_modules\/(?:@[^/"]+\/)?[^/"]+)\/[^"]*"/g;

made('lists exactly the packages that the source maps of the code name, and those of the page', async () => {
  const folders = new Set<string>();
  for (const [path, text] of files) {
    if (!path.endsWith('.map')) continue;
    for (const [, folder = ''] of text.matchAll(inPackage)) folders.add(folder);
    // Some packages were bundled before they were published, with maps of their own.
    for (const [, name = ''] of text.matchAll(/"webpack:\/\/(@azure\/[^/"]+)\//g)) {
      folders.add(`node_modules/${name}`);
    }
  }
  const page = ['preact', '@preact/signals', '@preact/signals-core'].map(name => `node_modules/${name}`);
  const named = await Promise.all(
    // A folder that is not there is of a package that another one has swallowed: with a licence that nobody has read.
    [...folders, ...page].map(async folder => {
      const { version } = Version.parse(
        JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')),
      );
      return `${folder.replace(/^.*node_modules\//, '')}@${version}`;
    }),
  );
  assert.ok(ids().length > 100);
  assert.equal(ids().toSorted(), [...new Set(named)].toSorted());
  assert.is(here.packages, ids().length);
});

made('lists who asks for whom, down from the app', () => {
  const dependencies = new Map(billed().dependencies.map(({ ref, dependsOn }) => [ref, dependsOn ?? []]));
  const reached = new Set<string>();
  const visit = (ref: string): void => {
    if (reached.has(ref)) return;
    reached.add(ref);
    for (const each of dependencies.get(ref) ?? []) visit(each);
  };
  visit('azdo-batch-agents@0.1.0');
  const strays = ids().filter(id => !reached.has(id));
  assert.equal(strays, []);
});

made('says the licence of each, and has its text', () => {
  const notices = file('THIRD-PARTY-NOTICES.txt');
  assert.equal(
    ids().filter(id => !notices.includes(`\n${id} (`)),
    [],
  );
  for (const text of ['Apache License', 'Permission is hereby granted', 'Blue Oak Model License']) {
    assert.match(notices, text);
  }
  assert.match(
    notices,
    /have no text of it among their files:\n\n@nodable\/entities@\S+ \(MIT\)\ntr46@\S+ \(MIT\)\n$/,
  );
  assert.match(file('LICENSE'), 'MIT License');
});

made('does not empty a folder that is no package', async () => {
  const app = join(temp.path, 'mine', 'app');
  await mkdir(app, { recursive: true });
  await writeFile(join(app, 'thesis.txt'), 'forty years');
  const error = await makePackage(dirname(app), commit).then(
    () => assert.unreachable('it should have refused'),
    (reason: unknown) => reason,
  );
  assert.match(String(error), 'holds something else than an earlier package');
  assert.is(await readFile(join(app, 'thesis.txt'), 'utf8'), 'forty years');
});

made('takes only a commit for a commit', async () => {
  const { exitCode, stderr } = await execa(process.execPath, [program, '--commit', 'HEAD'], {
    cwd: root,
    reject: false,
  });
  assert.is(exitCode, 1);
  assert.match(stderr, 'It must be the hash of a commit.');
});

made.run();
