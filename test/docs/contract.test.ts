import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { glob } from 'tinyglobby';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAppSettings } from '../../scripts/app-settings.js';
import { root } from '../../scripts/root.js';
import { registeredRoutes } from '../support/registered-routes.js';
import { readDocuments } from './read-documents.js';

const read = async (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const sources = async (...patterns: string[]): Promise<string> =>
  (await Promise.all((await glob(patterns, { cwd: root })).map(read))).join('\n');

/** The cells of the first table under a heading, without its head. */
function tableUnder(text: string, heading: string): readonly (readonly string[])[] {
  const [, after = ''] = text.split(`\n${heading}\n`);
  const [section = ''] = after.split(/\n## /);
  const rows = section.split('\n').filter(line => line.startsWith('| '));
  return rows.slice(1).map(row => row.slice(2, -2).split(' | '));
}

const firstColumn = (text: string, heading: string): readonly string[] =>
  tableUnder(text, heading).map(([first = '']) => first);

const names = (column: readonly string[]): readonly string[] =>
  column.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

/** What App Service sets itself, or the app for a library that reads nothing else. */
const isOfThePlatform = (name: string): boolean =>
  name.startsWith('WEBSITE_') || name === 'APPLICATION_INSIGHTS_NO_STATSBEAT';

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

const matches = (route: string, other: string): boolean => {
  const [one, two] = [route.split('/'), other.split('/')];
  return (
    one.length === two.length && one.every((part, at) => part === two[at] || part === '*' || two[at] === '*')
  );
};

/** Each route of the table, a parameter as `*`, and whether it says that a key is needed. */
async function documented(): Promise<ReadonlyMap<string, boolean>> {
  const rows = tableUnder(await read('README.md'), '## Other systems');
  return new Map(
    rows.flatMap(([cell = '', auth = '']) =>
      names([cell]).map(route => [withoutNames(route.replace(/\?.*$/, '')), auth !== 'anonymous'] as const),
    ),
  );
}

const withoutNames = (route: string): string => route.replaceAll(/\{[^}]*\}/g, '*');

routes('has the routes of the app and no others, and says which take a key', async () => {
  // What the page asks for is its own affair.
  const app = [...(await registeredRoutes())].filter(([route]) => !route.includes(' /api/dashboard/data/'));
  assert.ok(app.length > 8, `only ${app.length} were seen`);
  const told = [...(await documented())];
  const show = ([route, takesKey]: readonly [string, boolean]): string =>
    `${route}${takesKey ? '' : ', anonymous'}`;
  const missing = (wanted: typeof told, there: typeof told): readonly string[] =>
    wanted
      .filter(([route, key]) => !there.some(([other, otherKey]) => key === otherKey && matches(route, other)))
      .map(show);
  const called = app.map(([route, key]) => [withoutNames(route), key] as [string, boolean]);
  assert.equal(missing(called, told), [], 'the README lacks these');
  assert.equal(missing(told, called), [], 'the app lacks these');
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
