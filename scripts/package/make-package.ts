import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../root.js';
import { billOfMaterials } from './bill-of-materials.js';
import { bundleApp } from './bundle-app.js';
import { bundledPackages } from './bundled-packages.js';
import { commitOfSources } from './commit.js';
import { leaksOf } from './leaks.js';
import { readLicences } from './licences.js';
import { noticesText } from './notices.js';
import { filesOf, type ZippedFile, zipFolder } from './zip-folder.js';

export interface MadePackage {
  readonly zip: string;
  readonly folder: string;
  readonly version: string;
  /** Of the sources; `-dirty` when they have changed since; null: not known. */
  readonly commit: string | null;
  readonly bytes: number;
  readonly sha256: string;
  readonly files: number;
  /** How many packages have code in it. */
  readonly packages: number;
  /** Those that have no text of their licence. */
  readonly withoutLicenceText: readonly string[];
}

/** A Flex Consumption app takes far more; what is small starts soon. */
const mostBytes = 5_000_000;
const billName = 'bom.cdx.json';

const Product = z.object({ name: z.string(), version: z.string(), license: z.string() });

/**
 * Makes what Azure Functions takes: `app/` and `app.zip` in a folder. Whatever was there of an earlier package is
 * replaced, when all of the new one stands.
 *
 * @param commit of the sources, where git doesn't know it.
 * @throws sentences about everything that keeps the package from being made
 */
export async function makePackage(out: string, commit?: string): Promise<MadePackage> {
  const known = commit ?? (await commitOfSources());
  const folder = join(out, 'app');
  await refuseForeign(folder);
  await mkdir(out, { recursive: true });
  const work = await mkdtemp(join(out, '.making-'));
  try {
    const made = await fill(join(work, 'app'), known);
    const zip = await zipFolder(join(work, 'app'));
    const sizes = await sizesOf(join(work, 'app'));
    refuseLarge(zip.length, sizes);
    await writeFile(join(work, 'app.zip'), zip);
    await rm(folder, { recursive: true, force: true });
    for (const name of ['app', 'app.zip']) await rename(join(work, name), join(out, name));
    return {
      zip: join(out, 'app.zip'),
      folder,
      commit: known ?? null,
      bytes: zip.length,
      sha256: createHash('sha256').update(zip).digest('hex'),
      files: sizes.length,
      ...made,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Filled = Pick<MadePackage, 'version' | 'packages' | 'withoutLicenceText'>;

async function fill(folder: string, commit: string | undefined): Promise<Filled> {
  await mkdir(folder);
  const bundle = await bundleApp(folder, commit);
  const bundled = await bundledPackages(bundle);
  const licences = await readLicences(bundled.packages);
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), noticesText(licences));
  const product = Product.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const digest = await digestOf(folder);
  await writeFile(join(folder, billName), billOfMaterials({ ...product, commit, digest }, bundled));
  const leaks = await leaksOf(folder);
  if (leaks.length > 0)
    throw new Error(`The package would tell what is nobody's business:\n${leaks.join('\n')}`);
  return {
    version: product.version,
    packages: bundled.packages.length,
    withoutLicenceText: licences
      .filter(({ texts }) => texts.length === 0)
      .map(({ package: { name, version } }) => `${name}@${version}`),
  };
}

/** Of all that is in a folder, names included. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await filesOf(folder)) {
    const contents = await readFile(join(folder, path));
    hash.update(`${path}\0${contents.length}\0`).update(contents);
  }
  return hash.digest('hex');
}

const sizesOf = async (folder: string): Promise<readonly ZippedFile[]> =>
  Promise.all(
    (await filesOf(folder)).map(async path => ({ path, bytes: (await stat(join(folder, path))).size })),
  );

/** @throws when a package is too large, with the parts that make it so */
export function refuseLarge(bytes: number, files: readonly ZippedFile[], most = mostBytes): void {
  if (bytes <= most) return;
  const largest = files.toSorted((one, other) => other.bytes - one.bytes).slice(0, 5);
  throw new Error(
    `The package has ${megabytes(bytes)}, and may have ${megabytes(most)}. The largest of its files, before they are ` +
      `zipped:\n${largest.map(file => `  ${megabytes(file.bytes).padStart(8)}  ${file.path}`).join('\n')}`,
  );
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

/** A folder of somebody else's that happens to be called the same is not emptied. */
async function refuseForeign(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []);
  if (names.length === 0 || names.includes(billName)) return;
  throw new Error(
    `${folder} holds something else than an earlier package: choose another folder with --out.`,
  );
}
