import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, posix, relative, resolve, sep } from 'node:path';
import { isScalar, parseDocument, visit } from 'yaml';

export interface PipelineFiles {
  /** The pipeline's own file, as it is named in `files`: from the folder that counts as the repository. */
  readonly path: string;
  readonly files: Readonly<Record<string, string>>;
}

const isWithin = (path: string): boolean => path !== '..' && !path.startsWith('../');

/** The folder that counts as the repository of a file elsewhere: that of its git repository, else its own. */
function repositoryOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(resolve(folder, '.git'))) return folder;
    if (dirname(folder) === folder) return dirname(file);
  }
}

/**
 * Reads a pipeline and every template that it includes. A template that is not there, or not within the repository, is
 * left out: the player tells where it was included.
 *
 * @param folder counts as the repository of the files in it; a template's path may begin there
 * @throws a sentence, when the pipeline itself can't be read
 */
export async function collectFiles(file: string, folder: string): Promise<PipelineFiles> {
  const pathIn = (root: string): string => relative(root, resolve(folder, file)).split(sep).join('/');
  const root = isWithin(pathIn(folder)) ? folder : repositoryOf(resolve(folder, file));
  const path = pathIn(root);
  const files: Record<string, string> = { [path]: await readPipelineFile(resolve(root, path), file) };
  const unread = [path];
  for (let next = unread.pop(); next !== undefined; next = unread.pop()) {
    for (const template of templatesIn(files[next] ?? '')) {
      const included = template.startsWith('/')
        ? posix.normalize(template.slice(1))
        : posix.join(posix.dirname(next), template);
      if (Object.hasOwn(files, included) || !isWithin(included)) continue;
      const text = await readIfThere(resolve(root, included));
      if (text === undefined) continue;
      files[included] = text;
      unread.push(included);
    }
  }
  return { path, files };
}

async function readPipelineFile(path: string, named: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(`${named} can't be read: ${code === 'ENOENT' ? 'there is no such file' : code}.`, {
      cause: error,
    });
  }
}

function templatesIn(text: string): readonly string[] {
  const found: string[] = [];
  visit(parseDocument(text), {
    Pair: (_key, { key, value }) => {
      if (!isScalar(key) || key.value !== 'template' || !isScalar(value)) return;
      if (typeof value.value === 'string') found.push(value.value);
    },
  });
  return found;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
