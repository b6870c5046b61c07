import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { glob } from 'tinyglobby';
import * as z from 'zod';
import { readJsonFile } from './settings.js';

const PackageJson = z.looseObject({ main: z.string().min(1).optional() });

/**
 * Imports the app's entry: package.json's `main`, a file or a glob, each ESM or CommonJS.
 * The functions register themselves while their files load. All files that fail to load are named in one error.
 */
export async function loadApp(appDir: string): Promise<void> {
  const path = join(appDir, 'package.json');
  const parsed = PackageJson.safeParse((await readJsonFile(path)) ?? {});
  if (!parsed.success) throw new Error(`${path} can't be used. ${z.prettifyError(parsed.error)}`);
  const { main } = parsed.data;
  if (main === undefined) {
    throw new Error(
      `${path} has no "main", which names the file (or a glob of files) that registers the functions.`,
    );
  }
  const files = await glob(main, { cwd: appDir, absolute: true, expandDirectories: false });
  if (files.length === 0) {
    throw new Error(`Nothing matches "main": "${main}" of ${path}. Was the app built?`);
  }
  const problems: string[] = [];
  for (const file of files.toSorted()) {
    try {
      await import(pathToFileURL(file).href);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      problems.push(`${relative(appDir, file)} failed to load: ${text}`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
