import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the compiled template was compiled from, in the form of `sha256sum`: where there is no compiler, it tells its age. */
export const digestFile = 'infra/azuredeploy.sha256';

const digestOf = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** @param compiled the compiled template and its text. */
export async function digests(
  root: string,
  parts: readonly string[],
  compiled: { readonly file: string; readonly text: string },
): Promise<string> {
  const lines = parts.map(async file => `${digestOf(await readFile(join(root, file)))}  ${file}\n`);
  return [`${digestOf(compiled.text)}  ${compiled.file}\n`, ...(await Promise.all(lines))].join('');
}

/** What has changed since. */
export async function changedSince(root: string, compiledFile: string): Promise<readonly string[]> {
  const text = await readFile(join(root, digestFile), 'utf8').catch(() => undefined);
  if (text === undefined)
    return [`${digestFile} is missing: it tells what ${compiledFile} was compiled from`];
  const lines = text.split('\n').flatMap(line => {
    const [, digest, file] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    return digest === undefined || file === undefined ? [] : [{ digest, file }];
  });
  const changes = lines.map(async ({ digest, file }) => {
    const bytes = await readFile(join(root, file)).catch(() => undefined);
    if (bytes === undefined) return [`${file} was there when ${compiledFile} was compiled, and is gone`];
    if (digestOf(bytes) === digest) return [];
    return file === compiledFile
      ? [`${file} is not as the compiler wrote it`]
      : [`${file} has changed since ${compiledFile} was compiled from it`];
  });
  return (await Promise.all(changes)).flat();
}
