import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Inputs, isSecret } from './template.js';

/** The template's word for a secret that stays as the vault has it. */
export const keep = 'keep';

/** Seals the job tokens of waiting pipelines; the one secret that can be made by whoever deploys. */
export const keyParameter = 'callbackTokenKey';

/** The variable that gives a secret parameter its value: `azDOToken` → `AZDO_TOKEN`. */
export const variableOf = (parameter: string): string =>
  parameter
    .replace(/azdo/i, 'Azdo')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase();

export const newKey = (): string => randomBytes(32).toString('base64');

/** Says what is wrong with a key, without citing it; undefined: nothing. */
export function keyProblem(key: string): string | undefined {
  const keys = key.split(',');
  const good = keys.every(each => /^[A-Za-z0-9+/]{43}=$/.test(each));
  if (key === keep || (good && keys.length <= 2)) return undefined;
  return (
    `${keyParameter} (${variableOf(keyParameter)}) must be 32 bytes in base64 (openssl rand -base64 32), two such keys with a comma ` +
    `between them, or ${keep}.`
  );
}

/**
 * Decides about the secrets that a deployment asks for: those of the environment, else those that the vault has, else,
 * for the key, a new one. What the file of parameters names is left to it.
 *
 * @param inVault the parameters whose secrets the vault has.
 */
export function secretValues(
  { template, parameters }: Inputs,
  env: Readonly<Record<string, string | undefined>>,
  inVault: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(template.parameters)) {
    if (!isSecret(parameter) || Object.hasOwn(parameters, name)) continue;
    const given = env[variableOf(name)];
    if (given) values[name] = given;
    else if (inVault.has(name)) values[name] = keep;
    else if (name === keyParameter) values[name] = newKey();
  }
  return values;
}

/**
 * Gives secrets to a program that takes them from a file: only its owner can read it, and it is gone when the work is
 * done, failed, or was interrupted. Arguments would be seen by everybody on the machine.
 */
export async function withSecretFile<T>(
  name: string,
  text: string,
  work: (path: string) => Promise<T>,
): Promise<T> {
  await removeForgotten();
  // Only its owner can look into it.
  const folder = await mkdtemp(join(tmpdir(), `${folders}${process.pid}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  try {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
    process.off('exit', remove);
  }
}

/** In the folder of temporary files; what follows is the id of the process. */
const folders = 'azdo-batch-agents-deploy-';

/** Who is killed outright leaves a file behind: the next one takes away what belongs to no process any more. */
async function removeForgotten(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = /^(\d+)-\w+$/.exec(name.startsWith(folders) ? name.slice(folders.length) : '') ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Another user's can't be removed, and is for that user to remove.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Of another user, it may not be asked, and is there.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** As Azure Resource Manager takes them. */
export const parameterFile = (values: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#',
    contentVersion: '1.0.0.0',
    parameters: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])),
  });
