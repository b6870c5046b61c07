import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { root } from '../../scripts/root.js';
import { readDocuments } from './read-documents.js';

const Package = z.object({ scripts: z.record(z.string(), z.string()) });

const commands = suite('commands in the documents');

/** What documents and help texts name, with the page that does. */
async function named(pattern: RegExp): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { path, text } of await readDocuments()) {
    if (path === 'CHANGELOG.md') continue;
    for (const [, name] of text.matchAll(pattern)) if (name !== undefined) found.set(name, path);
  }
  return found;
}

commands('are scripts of package.json', async () => {
  const { scripts } = Package.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const names = await named(
    /npm (?:run (?:-s )?)?(?:(?<=run )|(?<=run -s )|(?=start\b|test\b))([a-z][a-z:]*)/g,
  );
  assert.ok(names.size > 8, `only ${names.size} commands were seen`);
  assert.equal(
    [...names].filter(([name]) => !Object.hasOwn(scripts, name)).map(each => each.join(' in ')),
    [],
  );
});

commands('of package.json are in the README or for those who work on it', async () => {
  const { scripts } = Package.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const pages = (await readDocuments()).filter(({ path }) => ['README.md', 'CONTRIBUTING.md'].includes(path));
  const text = pages.map(page => page.text).join('\n');
  assert.equal(
    Object.keys(scripts).filter(name => !new RegExp(`npm (?:run )?${name}(?![\\w:-])`).test(text)),
    [],
  );
});

commands('of the operator are commands of its command line', async () => {
  const { stdout } = await execa(process.execPath, [join(root, 'dist', 'scripts', 'agents.js'), '--help']);
  const known = new Set([...stdout.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name));
  const names = await named(/npm run (?:-s )?agents -- ([a-z]+)/g);
  assert.ok(names.size > 3, `only ${names.size} commands were seen`);
  assert.equal(
    [...names].filter(([name]) => !known.has(name)).map(each => each.join(' in ')),
    [],
  );
});

commands('have the options that documents give them', async () => {
  const used = new Map<string, string>();
  for (const { path, text } of await readDocuments()) {
    if (path === 'CHANGELOG.md') continue;
    const lines = text.replaceAll(/\\\n\s*/g, '');
    for (const [, name, sub = '', rest = ''] of lines.matchAll(
      /npm run (?:-s )?(images|deploy|package|simulate|infra:check) --(?: ([a-z]+)\b)?([^\n`#]*)/g,
    )) {
      // What follows a second `--` is for another program, as is what stands in `$(…)`.
      const [own = ''] = rest.replaceAll(/\$\([^)]*\)/g, '').split(/ -- /);
      for (const [option] of own.matchAll(/(?<= )--[a-z][a-z0-9-]*/g))
        used.set([name, ...(sub ? [sub] : []), option].join(' '), path);
    }
  }
  assert.ok(used.size > 10, `only ${used.size} options were seen`);
  const calls = new Map([...used.keys()].map(key => [key.slice(0, key.lastIndexOf(' ')), key.split(' ')]));
  const helps = await Promise.all(
    [...calls].map(async ([call, [name = '', ...words]]) => {
      const program = join(root, 'dist', 'scripts', `${name.replace(':', '-')}.js`);
      const { stdout } = await execa(process.execPath, [program, ...words.slice(0, -1), '--help']);
      return [call, stdout] as const;
    }),
  );
  const help = new Map(helps);
  const unknown = [...used].filter(([key]) => {
    const at = key.lastIndexOf(' ');
    return !new RegExp(`^ +(?:-\\w, )?${key.slice(at + 1)}\\b`, 'm').test(help.get(key.slice(0, at)) ?? '');
  });
  assert.equal(
    unknown.map(each => each.join(' in ')),
    [],
  );
});

commands.run();
