import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../root.js';
import type { Bundle } from './bundle-app.js';

/** A package whose code is in the app. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json declares it. */
  readonly license: string | undefined;
  /** SHA-512 of what the registry gave, as the lock file has it: `sha512-` and base64. */
  readonly integrity: string | undefined;
  /** Where it lies, from the root: more than one folder when npm had to put it into others' folders. */
  readonly folders: readonly string[];
  /** The names and versions, `name@version`, of those in the app that it asks for. */
  readonly dependencies: readonly string[];
}

export const idOf = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

const Locked = z.object({
  version: z.string(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  dev: z.boolean().optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
});
type Locked = z.infer<typeof Locked>;
const Lock = z.object({ packages: z.record(z.string(), z.unknown()) });
type Lock = z.infer<typeof Lock>;
const Root = z.object({
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
});

/** What may be in the app without being of a package: our sources, and what the plugins of the bundler make up. */
const ownSources = /^(?:functions|shared)\//;
const madeUp = /^(?:put-off|package-folder|built-page):|^<stdin>$/;
const inPackage = /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//;

export interface Bundled {
  /** One of each name and version, sorted. */
  readonly packages: readonly BundledPackage[];
  /** The names and versions of those that we ask for ourselves. */
  readonly direct: readonly string[];
}

/**
 * Finds whose code is in a bundle.
 *
 * @throws one error about everything that has no business there: sources of tools and tests, packages that are only
 *   there for development, packages that are not in the lock file
 */
export async function bundledPackages(bundle: Pick<Bundle, 'inputs' | 'pageInputs'>): Promise<Bundled> {
  const lock = Lock.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  return findPackages(bundle, lock);
}

/** The same with a lock file that was read already. */
export function findPackages(
  { inputs, pageInputs }: Pick<Bundle, 'inputs' | 'pageInputs'>,
  lock: Lock,
): Bundled {
  const problems: string[] = [];
  const folders = foldersOf(inputs, problems);
  // The page is built like any other text: what it is made of is there for development, and yet ships.
  const pageFolders = foldersOf(pageInputs, problems);
  const found = new Map<string, Locked>();
  for (const folder of new Set([...folders, ...pageFolders])) {
    const locked = Locked.safeParse(lock.packages[folder]);
    if (!locked.success) problems.push(`${folder} is not in package-lock.json.`);
    else if (locked.data.dev && folders.has(folder)) problems.push(`${folder} is only for development.`);
    else found.set(folder, locked.data);
  }
  if (problems.length > 0)
    throw new Error(`This does not belong into the app:\n${problems.toSorted().join('\n')}`);
  const own = Root.parse(lock.packages['']);
  return {
    packages: merge(found),
    direct: dependenciesOf('', { ...own.devDependencies, ...own.dependencies }, found),
  };
}

function foldersOf(inputs: readonly string[], problems: string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of inputs) {
    const folder = inPackage.exec(path)?.[1];
    if (folder !== undefined) folders.add(folder);
    else if (!ownSources.test(path) && !madeUp.test(path)) problems.push(`${path} is no source of the app.`);
  }
  return folders;
}

const nameOf = (folder: string): string =>
  folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);

function merge(found: ReadonlyMap<string, Locked>): readonly BundledPackage[] {
  const packages = new Map<string, BundledPackage>();
  for (const [folder, locked] of [...found].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const name = nameOf(folder);
    const { version, license, integrity } = locked;
    const asked = { ...locked.dependencies, ...locked.optionalDependencies, ...locked.peerDependencies };
    const id = idOf({ name, version });
    const before = packages.get(id);
    packages.set(id, {
      name,
      version,
      license,
      integrity,
      folders: [...(before?.folders ?? []), folder],
      dependencies: [
        ...new Set([...(before?.dependencies ?? []), ...dependenciesOf(folder, asked, found)]),
      ].toSorted(),
    });
  }
  return [...packages].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, each]) => each);
}

/** As Node.js looks for them: in the package's own folder, then in those around it. `''` is our own. */
function dependenciesOf(
  folder: string,
  asked: Readonly<Record<string, string>>,
  found: ReadonlyMap<string, Locked>,
): readonly string[] {
  return Object.keys(asked).flatMap(name => {
    const locked = lookedAt(folder)
      .map(around => found.get(`${around}node_modules/${name}`))
      .find(each => each !== undefined);
    return locked ? idOf({ name, version: locked.version }) : [];
  });
}

/** `a/node_modules/b` → `a/node_modules/b/`, `a/`, and the root, which is ``. */
function lookedAt(folder: string): readonly string[] {
  if (folder === '') return [''];
  const outer = folder.slice(0, folder.lastIndexOf('node_modules/')).replace(/\/$/, '');
  return [`${folder}/`, ...lookedAt(outer)];
}
