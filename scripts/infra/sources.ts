import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { glob } from 'tinyglobby';
import type { BicepSession, Diagnostic } from './compiler/bicep-session.js';

/** The template that is deployed, and what it compiles to, for those who have no compiler. */
export const mainFile = 'infra/main.bicep';
export const compiledFile = 'infra/azuredeploy.json';

/** What the compiler says of all files, as the paths of this folder. */
export interface Compiled {
  readonly files: readonly string[];
  /** What the main file compiles to; undefined where it does not compile. */
  readonly template: string | undefined;
  /** Sentences that name file, line and column. */
  readonly problems: readonly string[];
}

/**
 * Values for what files of parameters read from the environment: they are compiled to see whether they can be, and
 * what an environment has is not theirs to know.
 */
export async function placeholders(root: string): Promise<Readonly<Record<string, string>>> {
  const files = await glob('infra/**/*.bicepparam', { cwd: root });
  const texts = await Promise.all(files.map(file => readFile(join(root, file), 'utf8')));
  const names = texts.flatMap(text =>
    [...text.matchAll(/readEnvironmentVariable\('(\w+)'\)/g)].map(([, name]) => name ?? ''),
  );
  return Object.fromEntries(names.map(name => [name, 'https://example.com/placeholder']));
}

const slashes = (path: string): string => path.split(sep).join('/');

/** Compiles and lints everything: the main file, what it does not reach, and files of parameters. */
export async function compileAll(root: string, bicep: BicepSession): Promise<Compiled> {
  const files = (await glob('infra/**/*.{bicep,bicepparam}', { cwd: root })).toSorted();
  const said = new Set<string>();
  const reached = new Set<string>();
  const note = (diagnostics: readonly Diagnostic[]): void => {
    for (const each of diagnostics) said.add(describe(root, each));
  };
  const main = await bicep.compile(join(root, mainFile));
  note(main.diagnostics);
  for (const path of await bicep.references(join(root, mainFile))) reached.add(slashes(relative(root, path)));
  for (const file of files) {
    if (reached.has(file)) continue;
    const path = join(root, file);
    note((await (file.endsWith('param') ? bicep.compileParameters(path) : bicep.compile(path))).diagnostics);
  }
  // The compiler ends its JSON without a line break; a text file of this project ends with one.
  const template = main.success && main.contents ? `${main.contents.trimEnd()}\n` : undefined;
  return { files, template, problems: [...said].toSorted() };
}

function describe(root: string, { source, range, level, code, message }: Diagnostic): string {
  const place = `${range.start.line + 1}:${range.start.char + 1}`;
  return `${slashes(relative(root, source))}:${place} ${level.toLowerCase()} ${code}: ${message}`;
}

/** Files that are not as the formatter of the compiler writes them, with their texts as it does. */
export async function unformatted(
  root: string,
  files: readonly string[],
  bicep: BicepSession,
): Promise<ReadonlyMap<string, string>> {
  const wrong = new Map<string, string>();
  for (const file of files) {
    const path = join(root, file);
    const wanted = await bicep.format(path);
    if (wanted !== (await readFile(path, 'utf8'))) wrong.set(file, wanted);
  }
  return wrong;
}
