import { realpath } from 'node:fs/promises';
import { execa } from 'execa';
import { root } from '../root.js';

/** What the package is made of. */
const sources = [
  'functions',
  'shared',
  'scripts',
  'host.json',
  'package.json',
  'package-lock.json',
  'LICENSE',
];

/** @returns the commit of the sources, with `-dirty` when they have changed since; undefined: nobody knows. */
export async function commitOfSources(): Promise<string | undefined> {
  const top = await git('rev-parse', '--show-toplevel');
  // The repository of somebody who has unpacked ours somewhere in theirs says nothing about us.
  if (top === undefined || (await realpath(top)) !== (await realpath(root))) return undefined;
  const commit = await git('rev-parse', 'HEAD');
  const changes = await git('status', '--porcelain', '--', ...sources);
  if (commit === undefined || changes === undefined) return undefined;
  return changes === '' ? commit : `${commit}-dirty`;
}

async function git(...args: readonly string[]): Promise<string | undefined> {
  const { failed, stdout } = await execa('git', args, { cwd: root, reject: false });
  return failed ? undefined : stdout.trim();
}
