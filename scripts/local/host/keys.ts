import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';

const Key = z.string().min(1);
const KeysFile = z.looseObject({
  masterKey: Key,
  /** Open every function of level `function`. */
  functionKeys: z.record(z.string(), Key),
  /** Open the webhooks of extensions; Durable's is `durabletask_extension`. */
  systemKeys: z.record(z.string(), Key),
  /** Each opens one function. */
  functions: z.record(z.string(), z.record(z.string(), Key)),
});
export type Keys = z.output<typeof KeysFile>;

export const durableSystemKey = 'durabletask_extension';

const newKey = (): string => randomBytes(40).toString('base64url');

/**
 * Reads the keys, adding random ones for what has none yet. The file is readable by its owner only.
 *
 * @param functionNames functions that need a key of their own
 */
export async function openKeys(path: string, functionNames: readonly string[]): Promise<Keys> {
  let text: string | undefined;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  let stored: unknown = {};
  try {
    if (text !== undefined) stored = JSON.parse(text);
  } catch {
    // The parser's own message quotes the file, which holds keys.
    throw new Error(`The keys file ${path} is not valid JSON.`);
  }
  const parsed = KeysFile.partial().safeParse(stored);
  if (!parsed.success)
    throw new Error(`The keys file ${path} can't be used. ${z.prettifyError(parsed.error)}`);
  const { masterKey, functionKeys, systemKeys, functions } = parsed.data;
  const keys: Keys = {
    ...parsed.data,
    masterKey: masterKey ?? newKey(),
    functionKeys: { default: newKey(), ...functionKeys },
    systemKeys: { [durableSystemKey]: newKey(), ...systemKeys },
    functions: { ...functions },
  };
  for (const name of functionNames) keys.functions[name] ??= { default: newKey() };
  const wanted = `${JSON.stringify(keys, null, 2)}\n`;
  if (wanted !== text) {
    await mkdir(dirname(path), { recursive: true });
    // Written beside and moved: a kill in between must not leave half a file and so new keys.
    const beside = `${path}.${process.pid}.new`;
    await writeFile(beside, wanted, { mode: 0o600 });
    await rename(beside, path);
  }
  await chmod(path, 0o600);
  return keys;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Says whether a key is one of `allowed`, in a time that tells nothing about them. */
export function createKeyCheck(allowed: readonly string[]): (given: string | undefined) => boolean {
  const digests = allowed.map(digest);
  return given => {
    const actual = digest(given ?? '');
    let found = false;
    for (const expected of digests) found = timingSafeEqual(actual, expected) || found;
    return found && given !== undefined && given !== '';
  };
}

/** The keys that open a function of the given level, as in Azure: the master key opens all. */
export function keysFor(keys: Keys, functionName: string, authLevel: string): readonly string[] {
  if (authLevel === 'admin') return [keys.masterKey];
  const own = Object.values(keys.functions[functionName] ?? {});
  return [keys.masterKey, ...Object.values(keys.functionKeys), ...own];
}
