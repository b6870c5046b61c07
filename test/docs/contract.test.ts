import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { glob } from 'tinyglobby';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAppSettings } from '../../scripts/app-settings.js';
import { root } from '../../scripts/root.js';
import { readDocuments } from './read-documents.js';

const read = async (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const sources = async (...patterns: string[]): Promise<string> =>
  (await Promise.all((await glob(patterns, { cwd: root })).map(read))).join('\n');

/** The first column of the table under a heading. */
function firstColumn(text: string, heading: string): readonly string[] {
  const [, after = ''] = text.split(`\n${heading}\n`);
  const [section = ''] = after.split(/\n## /);
  const rows = section.split('\n').filter(line => line.startsWith('| '));
  return rows.slice(1).map(row => row.split(' | ')[0] ?? '');
}

const names = (column: readonly string[]): readonly string[] =>
  column.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

/** What App Service sets itself. */
const isOfThePlatform = (name: string): boolean => name.startsWith('WEBSITE_');

const settings = suite('the table of settings');

settings('has every setting that is read', async () => {
  const code = await sources('shared/config.ts', 'functions/**/*.ts', 'shared/adapters/**/*.ts');
  const used = [
    ...code.matchAll(/\b(?:required|optional)\(\s*'(\w+)'/g),
    ...code.matchAll(/\benv\[\s*'(\w+)'\s*\]/g),
  ].map(([, name = '']) => name);
  assert.ok(used.length > 10, `only ${used.length} were seen`);
  const readme = await read('README.md');
  assert.equal(
    [...new Set(used)].filter(
      name =>
        !isOfThePlatform(name) &&
        !readme.includes(`\`${name}\``) &&
        !readme.includes(`\`${name.replace(/^.*?__/, '__')}\``),
    ),
    [],
  );
});

settings('has no setting that is not read', async () => {
  const code = await sources('shared/**/*.ts', 'functions/**/*.ts');
  const told = names(firstColumn(await read('README.md'), '## Settings'));
  assert.ok(told.length > 15, `only ${told.length} were seen`);
  assert.equal(
    told.filter(name => !code.includes(`'${name.replace(/^__/, 'AzureWebJobsStorage__')}'`)),
    [],
  );
});

settings('has only settings that `npm start` takes from the shell, too', async () => {
  const told = names(firstColumn(await read('README.md'), '## Settings')).map(name =>
    name.replace(/^__/, 'AzureWebJobsStorage__'),
  );
  const taken = await readAppSettings('nowhere', Object.fromEntries(told.map(name => [name, 'x'])));
  assert.equal(
    told.filter(name => taken[name] !== 'x'),
    [],
  );
});

settings.run();

const routes = suite('the table of routes');

/** Method and path of each route that the app registers; a parameter is `*`. */
async function registered(): Promise<ReadonlySet<string>> {
  const code = await sources('functions/**/*.ts', '!functions/other-methods.ts');
  const calls = [...code.matchAll(/app\.http\(\s*'(\w+)',\s*\{([\s\S]*?)\bhandler\b/g)];
  return new Set(
    calls.flatMap(([, name = '', options = '']) => {
      const route = /\broute: '([^']+)'/.exec(options)?.[1] ?? name;
      const methods = /\bmethods: \[([^\]]*)\]/.exec(options)?.[1] ?? '';
      return [...methods.matchAll(/'([A-Z]+)'/g)].map(
        ([, method = '']) => `${method} /api/${route.replaceAll(/\{[^}]*\}/g, '*')}`,
      );
    }),
  );
}

const matches = (route: string, other: string): boolean => {
  const [one, two] = [route.split('/'), other.split('/')];
  return (
    one.length === two.length && one.every((part, at) => part === two[at] || part === '*' || two[at] === '*')
  );
};

const documented = async (): Promise<readonly string[]> =>
  names(firstColumn(await read('README.md'), '## Other systems')).map(route =>
    route.replace(/\?.*$/, '').replaceAll(/\{[^}]*\}/g, '*'),
  );

// What the page asks for is its own affair.
routes('has every route of the app', async () => {
  const told = await documented();
  const known = [...(await registered())].filter(route => !route.includes(' /api/dashboard/data/'));
  assert.ok(known.length > 8, `only ${known.length} were seen`);
  assert.equal(
    known.filter(route => !told.some(each => matches(each, route))),
    [],
  );
});

routes('has no route that the app does not have', async () => {
  const known = [...(await registered())];
  assert.equal(
    (await documented()).filter(route => !known.some(each => matches(each, route))),
    [],
  );
});

routes.run();

const codes = suite('failure codes in the documents');

codes('are given by the product', async () => {
  const code = await sources('shared/**/*.ts');
  const pages = (await readDocuments()).filter(
    ({ path }) => path === 'README.md' || path.startsWith('.github/docs/'),
  );
  const linked = pages.flatMap(({ text }) =>
    [...text.matchAll(/\[`(\w+)`\]\(troubleshoot\.md#/g)].map(([, name = '']) => name),
  );
  assert.ok(linked.length > 5, `only ${linked.length} were seen`);
  assert.equal(
    [...new Set(linked)].filter(name => !new RegExp(`\\b${name}\\b`).test(code)),
    [],
  );
});

codes.run();
