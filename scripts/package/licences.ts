import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../root.js';
import { type BundledPackage, idOf } from './bundled-packages.js';

/** Licences that let the app be given to others with no more than their text, by their SPDX identifiers. */
const allowed: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]);

/** The text of a package's licence. */
export interface Licence {
  readonly package: BundledPackage;
  /** Of its files, each with `\n` at the ends of lines; none: it has no such file. */
  readonly texts: readonly string[];
}

/**
 * Reads the licences of packages.
 *
 * @throws one error that names every package whose licence is unknown or not one that may be shipped
 */
export async function readLicences(packages: readonly BundledPackage[]): Promise<readonly Licence[]> {
  const problems = packages.flatMap(each => licenceProblem(each) ?? []);
  if (problems.length > 0) {
    throw new Error(
      `The app may not be given to others:\n${problems.join('\n')}\nUse other packages, or allow these licences in ` +
        'scripts/package/licences.ts after reading them.',
    );
  }
  return Promise.all(packages.map(async each => ({ package: each, texts: await textsOf(each) })));
}

/** Why a package may not be shipped; undefined: it may. */
export function licenceProblem(
  each: Pick<BundledPackage, 'name' | 'version' | 'license'>,
): string | undefined {
  const { license } = each;
  if (license === undefined || license.trim() === '') return `${idOf(each)} declares no licence.`;
  return isAllowed(license) ? undefined : `${idOf(each)} has the licence ${license}.`;
}

/** A choice needs one that is allowed, a sum needs all; what mixes them is for people to read. */
function isAllowed(expression: string): boolean {
  const terms = expression.trim().replace(/^\(([^()]*)\)$/, '$1');
  if (allowed.has(terms)) return true;
  const [choices, sum] = [terms.split(' OR '), terms.split(' AND ')];
  if (choices.length > 1) return choices.some(term => allowed.has(term));
  return sum.length > 1 && sum.every(term => allowed.has(term));
}

const licenceFile =
  /^(?:licen[cs]es?|copying|notices?|third-?party-?notices?|copyright-?notices?)(?:[.-].*)?$/i;

async function textsOf({ folders }: BundledPackage): Promise<readonly string[]> {
  // Every folder of one version holds the same.
  const folder = join(root, folders[0] ?? '');
  const names = await readdir(folder);
  const files = names.filter(name => licenceFile.test(name) && !/\.[cm]?[jt]sx?$/.test(name)).toSorted();
  const texts = await Promise.all(files.map(async name => readText(join(folder, name))));
  if (texts.length > 0) return texts;
  const [readme] = names.filter(name => /^readme(?:\.md)?$/i.test(name)).toSorted();
  const section = readme === undefined ? undefined : licenceSection(await readText(join(folder, readme)));
  return section === undefined ? [] : [section];
}

const readText = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8'))
    .replace(/^\uFEFF/, '')
    .replaceAll(/\r\n?/g, '\n')
    .trim();

/** Some have their licence in their README alone: all that stands under its heading, if that is the licence itself. */
export function licenceSection(readme: string): string | undefined {
  const [, section = ''] = /^(?:#+ *licen[cs]e[ #]*\n|licen[cs]e *\n-{3,}\n)([^]*)/im.exec(readme) ?? [];
  const [text = ''] = section.split(/^(?:#+ .*|.*\n(?:-{3,}|={3,}))$/m);
  // A mere "MIT" or a link is no text of a licence.
  return /permission|redistribution/i.test(text) ? text.trim() : undefined;
}
