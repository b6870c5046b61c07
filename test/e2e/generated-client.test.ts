import { copyFile, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { execa } from 'execa';
import { generateSource } from 'oazapfts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { root } from '../../scripts/root.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { openWorld } from './support/world.js';

/** What `test/fixtures/generated-client/other-system.ts` offers. */
const call = z.custom<(...args: string[]) => Promise<unknown>>(value => typeof value === 'function');
const OtherSystem = z.object({
  connect: call,
  askAndFollow: call,
  askWrongly: call,
  lookForNobody: call,
  askAsArticle: call,
  cancelTwice: call,
  listIds: call,
  isHealthy: call,
  knock: call,
});

let stack: Stack;
let end: () => Promise<void>;
let folder: TempFolder;
let other: z.infer<typeof OtherSystem>;

const tsconfig = {
  compilerOptions: {
    target: 'ES2022',
    lib: ['ES2023', 'DOM'],
    module: 'NodeNext',
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  },
  files: ['client.ts', 'other-system.ts'],
};

const client = suite('a client that is generated from the OpenAPI document');

client.before(async () => {
  folder = await makeTempFolder('client-');
  ({ stack, end } = await openWorld({
    profiles: {
      ubuntu: {
        devOpsPool: 'AzDOUbuntu',
        batchPool: 'batchLinux',
        image: 'azdo-agent:ubuntu-24.04-azdo',
        idleMinutes: 0.05,
      },
    },
  }));
  // As a generator gets it: from the app, to which nobody has to show a key for it.
  const response = await fetch(`${stack.url('host')}/api/openapi.json`);
  assert.is(response.status, 200);
  const document = join(folder.path, 'openapi.json');
  await writeFile(document, await response.text());
  await writeFile(join(folder.path, 'client.ts'), await generateSource(document));
  await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder.path, 'tsconfig.json'), JSON.stringify(tsconfig));
  await copyFile(
    join(root, 'test', 'fixtures', 'generated-client', 'other-system.ts'),
    join(folder.path, 'other-system.ts'),
  );
  await symlink(join(root, 'node_modules'), join(folder.path, 'node_modules'));
});
client.after(async () => {
  await end?.();
  await folder?.remove();
});

client('is made of the document that is committed', async () => {
  const committed = await readFile(join(root, 'infra', 'api', 'openapi.json'), 'utf8');
  assert.is(await readFile(join(folder.path, 'openapi.json'), 'utf8'), committed);

  const url = `${stack.url('host')}/api/openapi.json`;
  const { headers } = await fetch(url);
  const again = await fetch(url, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
  assert.is(again.status, 304);
  const posted = await fetch(url, { method: 'POST' });
  assert.is(posted.status, 405);
  assert.is(posted.headers.get('allow'), 'GET');
});

client('compiles, and so does a program that uses it', async () => {
  const { all, exitCode } = await execa('tsc', ['--project', folder.path], {
    cwd: root,
    preferLocal: true,
    reject: false,
    all: true,
  });
  assert.is(exitCode, 0, all);
  const outfile = join(folder.path, 'other-system.mjs');
  await build({
    entryPoints: [join(folder.path, 'other-system.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  const module: unknown = await import(pathToFileURL(outfile).href);
  other = OtherSystem.parse(module);
  await other.connect(`${stack.url('host')}/api`, stack.functionKey);
});

client('asks for an agent and follows it to its end', async () => {
  const states = z.array(z.string()).parse(await other.askAndFollow('ubuntu', 'generated-1'));
  assert.is(states[0], 'accepted');
  // No job comes for it, so it is taken back.
  assert.is(states.at(-1), 'expired', states.join(' '));
  assert.ok(states.includes('online'), states.join(' '));
});

client('gets the problems that the document promises', async () => {
  assert.equal(await other.askWrongly(), ['InvalidRequest', 'body timeoutMinutes', 'body capabilitys']);
  assert.is(await other.lookForNobody(), 'RequestNotFound');
  assert.is(await other.knock(), 401);
});

client('asks by the route of the article, lists and cancels', async () => {
  const requestId = z.string().parse(await other.askAsArticle());
  assert.equal(await other.listIds(), [requestId, 'generated-1']);
  assert.equal(await other.cancelTwice(requestId), ['cancelled', 'RequestEnded']);
  assert.is(await other.isHealthy(), true);
});

client.run();
