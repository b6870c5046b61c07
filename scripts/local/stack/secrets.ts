import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';

/**
 * The secrets of a stack. Each is a file in the folder of the part that it belongs to, which only its owner can read,
 * and reaches the parts by that file or their environment: arguments are seen by everybody on the machine.
 */
export interface Secrets {
  /** Shared key of the Batch account. */
  readonly batchKey: string;
  /** Personal access token of Azure DevOps. */
  readonly pat: string;
  /** Seals the pipelines' tokens. */
  readonly callbackTokenKey: string;
  /** Opens every function; kept in the host's file of keys. */
  readonly functionKey: string;
  readonly keysFile: string;
}

/** Reads the secrets of a data folder, making those that are missing. */
export async function openSecrets(dataDir: string): Promise<Secrets> {
  const keysFile = join(dataDir, 'host', 'keys.json');
  return {
    batchKey: await readOrMake(join(dataDir, 'batch', 'account-key'), () => random(64, 'base64')),
    pat: await readOrMake(join(dataDir, 'devops', 'pat'), () => random(39, 'base64url')),
    callbackTokenKey: await readOrMake(join(dataDir, 'host', 'callback-token.key'), () =>
      random(32, 'base64'),
    ),
    functionKey: await openFunctionKey(keysFile),
    keysFile,
  };
}

const random = (bytes: number, encoding: 'base64' | 'base64url'): string =>
  randomBytes(bytes).toString(encoding);

async function readOrMake(path: string, make: () => string): Promise<string> {
  const kept = await readFile(path, 'utf8').catch(() => '');
  if (kept.trim()) return kept.trim();
  const secret = make();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, secret, { mode: 0o600 });
  return secret;
}

const KeysFile = z.looseObject({ functionKeys: z.looseObject({ default: z.string().min(1) }) });

/** The host adds what else it needs to the same file, and keeps what is there. */
async function openFunctionKey(path: string): Promise<string> {
  const text = await readOrMake(path, () =>
    JSON.stringify({ functionKeys: { default: random(40, 'base64url') } }),
  );
  const parsed = KeysFile.safeParse(JSON.parse(text));
  // The parser's own message could quote the keys.
  if (!parsed.success)
    throw new Error(`${path} holds no functionKeys.default: remove the file to get new keys.`);
  return parsed.data.functionKeys.default;
}
