import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { glob } from 'tinyglobby';
import * as z from 'zod';
import { configProblems, declarationAt, silenced } from './bicep-text.js';
import type { BicepSession, Diagnostic } from './compiler/bicep-session.js';
import { type Sample, sampleOf } from './samples.js';
import { type Json, jsonValue } from './template/json.js';

/** The template that is deployed, and what it compiles to, for those who have no compiler. */
export const mainFile = 'infra/main.bicep';
export const compiledFile = 'infra/azuredeploy.json';
const configFile = 'infra/bicepconfig.json';

/** What the compiler says of all files, as the paths of this folder. */
export interface Compiled {
  readonly files: readonly string[];
  /** What the main file is made of: itself, modules, and texts that they load. */
  readonly parts: readonly string[];
  /** What the main file compiles to; undefined where it does not compile. */
  readonly template: string | undefined;
  /** What the files of parameters deploy. */
  readonly samples: readonly Sample[];
  /** Sentences that name file, line and column, and what is declared there. */
  readonly problems: readonly string[];
}

const read = (root: string, file: string): Promise<string> => readFile(join(root, file), 'utf8');

/**
 * Values for what files of parameters read from the environment: they are compiled to see whether they can be, and
 * what an environment has is not theirs to know.
 */
export async function placeholders(root: string): Promise<Readonly<Record<string, string | undefined>>> {
  const files = await glob('infra/**/*.bicepparam', { cwd: root });
  const texts = await Promise.all(files.map(file => read(root, file)));
  const asked = texts.flatMap(text =>
    [...text.matchAll(/readEnvironmentVariable\(\s*'(\w+)'\s*(\)?)/g)].map(
      ([, name = '', end]) => [name, end ? 'https://example.com/placeholder' : undefined] as const,
    ),
  );
  return { ...Object.fromEntries(asked), ...sampleEnvironment };
}

/** So that the Windows agents are judged, too. */
const sampleEnvironment = {
  WINDOWS_NODE_IMAGE_ID:
    '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/images/providers/Microsoft.Compute/galleries/agents/images/windows/versions/1.0.0',
};

const slashes = (path: string): string => path.split(sep).join('/');

/** Compiles and lints everything: the main file, what it does not reach, and files of parameters. */
export async function compileAll(root: string, bicep: BicepSession): Promise<Compiled> {
  const files = (await glob('infra/**/*.{bicep,bicepparam}', { cwd: root })).toSorted();
  const texts = new Map(await Promise.all(files.map(async file => [file, await read(root, file)] as const)));
  const said: Diagnostic[] = [];
  const main = await bicep.compile(join(root, mainFile));
  said.push(...main.diagnostics);
  const parts = (await bicep.references(join(root, mainFile)))
    .map(path => slashes(relative(root, path)))
    .filter(file => file !== configFile)
    .toSorted();
  const problems: string[] = [];
  const samples: Sample[] = [];
  for (const file of files) {
    if (parts.includes(file)) continue;
    if (file.endsWith('param')) {
      const { diagnostics, parameters } = await bicep.compileParameters(join(root, file));
      said.push(...diagnostics);
      if (parameters) samples.push(sampleOf(file, valuesOf(parameters)));
    } else {
      said.push(...(await bicep.compile(join(root, file))).diagnostics);
      problems.push(`${file}: is not part of ${mainFile}; use it there, or remove it`);
    }
  }
  for (const file of await glob('infra/monitoring/queries/alert-*.kql', { cwd: root })) {
    if (!parts.includes(file))
      problems.push(`${file}: no alert asks it; name it in infra/monitoring/alerts.bicep, or remove it`);
  }
  const config = await read(root, configFile).catch(() => undefined);
  if (config !== undefined) problems.push(...configProblems(configFile, config));
  for (const [file, text] of texts) problems.push(...silenced(file, text));
  // "The referenced module has errors": they are said of the module itself.
  const worth = said.filter(({ code }) => code !== 'BCP104');
  for (const each of worth.length > 0 ? worth : said) {
    const file = slashes(relative(root, each.source));
    problems.push(describe(file, texts.get(file), each));
  }
  // The compiler ends its JSON without a line break; a text file of this project ends with one.
  const template = main.success && main.contents ? `${main.contents.trimEnd()}\n` : undefined;
  return { files, parts, template, samples, problems: [...new Set(problems)].toSorted() };
}

function describe(
  file: string,
  text: string | undefined,
  { range, level, code, message }: Diagnostic,
): string {
  const { line, char } = range.start;
  const owner = text === undefined ? undefined : declarationAt(text, line);
  return `${file}:${line + 1}:${char + 1} ${level.toLowerCase()} ${code}: ${owner === undefined ? '' : `${owner}: `}${message}`;
}

const parameterFile = z.object({
  parameters: z.record(z.string(), z.object({ value: jsonValue.optional() })),
});

function valuesOf(text: string): Readonly<Record<string, Json>> {
  const { parameters } = parameterFile.parse(JSON.parse(text));
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Files that are not as the formatter of the compiler writes them, with their texts as it does. */
export async function unformatted(
  root: string,
  files: readonly string[],
  bicep: BicepSession,
): Promise<ReadonlyMap<string, string>> {
  const wrong = new Map<string, string>();
  for (const file of files) {
    const wanted = await bicep.format(join(root, file));
    if (wanted !== (await read(root, file))) wrong.set(file, wanted);
  }
  return wrong;
}
