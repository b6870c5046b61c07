import { keep, keyParameter, newKey, variableOf, withSecretFile } from './secrets.js';
import type { Tool } from './tool.js';

/** The hooks of azure.yaml that run this program. */
export const azdHooks = ['preprovision', 'postprovision'] as const;
export type AzdHook = (typeof azdHooks)[number];

const variables = [variableOf(keyParameter), variableOf('azDOToken')];

/**
 * Before azd provisions, its environment gets the key that seals pipelines' tokens, if it has none. Afterwards the
 * vault has the secrets, and the environment, a file on the disk of whoever deploys, does not need them any more.
 *
 * @param env what azd gives a hook: the values of its environment.
 */
export async function runAzdHook(
  hook: AzdHook,
  tool: Tool,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const [key = ''] = variables;
  if (hook === 'preprovision') {
    if (!env[key]) await set(tool, env, { [key]: newKey() });
    return;
  }
  const held = variables.filter(name => env[name] && env[name] !== keep);
  await set(tool, env, Object.fromEntries(held.map(name => [name, keep])));
}

async function set(
  tool: Tool,
  env: Readonly<Record<string, string | undefined>>,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(values).map(([name, value]) => `${name}="${value}"\n`);
  if (lines.length === 0) return;
  const environment = env['AZURE_ENV_NAME'];
  const of = environment === undefined ? [] : ['--environment', environment];
  await withSecretFile('azd.env', lines.join(''), async path => {
    if ((await tool.ask('env', 'set', '--file', path, ...of)) === undefined)
      throw new Error('`azd env set --file` failed: update azd, or see whether its environment is selected.');
  });
  const names = Object.keys(values).join(' and ');
  console.error(
    `${names} in the environment of azd: ${values[names] === keep ? 'the vault has it' : 'set'}.`,
  );
}
