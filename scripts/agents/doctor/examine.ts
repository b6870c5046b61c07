import * as z from 'zod';
import { product } from '../../../shared/adapters/product.js';
import type { Diagnosis } from '../../../shared/answers/diagnosis.js';
import { root } from '../../root.js';
import { createClient } from '../client.js';
import { AppAway, CommandError, KeyRefused, Refused } from '../command-error.js';
import { apiUrlOf, keyIn, keyOf, keyPlace, type Named, runningApiUrl } from '../find-app.js';
import { createCall } from '../http.js';

type AppCheck = Diagnosis['checks'][number];

/** Those of the app, and our own before them. */
export type Check = Omit<AppCheck, 'area'> & { readonly area: AppCheck['area'] | 'commandLine' };

export interface Report {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Of the app; null when it did not come to that. */
  readonly version: string | null;
  /** No check failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const Health = z.looseObject({
  status: z.string(),
  dependencies: z.record(z.string(), z.object({ reachable: z.boolean() })),
});

/**
 * From the near to the far: what the rest needs is tried first, and without it the rest is not tried at all.
 *
 * @param settingsFolder where `npm start` looks for local.settings.json.
 */
export async function examine(named: Named, env: Environment, settingsFolder = root): Promise<Report> {
  const checks: Check[] = [];
  const report = (version: string | null): Report => ({
    at: new Date().toISOString(),
    version,
    ok: checks.every(({ status }) => status !== 'failed'),
    checks,
  });
  /** @returns what `attempt` gives, or undefined when it throws; either is noted. */
  const check = async <T>(
    name: string,
    attempt: () => Promise<readonly [T, string]>,
  ): Promise<T | undefined> => {
    try {
      const [value, detail] = await attempt();
      checks.push({ area: 'commandLine', name, status: 'ok', detail, remedy: null });
      return value;
    } catch (error) {
      checks.push({ area: 'commandLine', name, status: 'failed', ...told(error) });
      return undefined;
    }
  };

  const { url, data, from } = named;
  const keyFrom = keyPlace(named);
  const apiUrl = await check('The app is named', async () => {
    const found = url === undefined ? await runningApiUrl(data) : apiUrlOf(url);
    return [found, `${found}, from ${url === undefined ? `the folder ${data}` : from}`];
  });
  if (url === undefined) {
    await check('The settings file of this machine can be read', async () => {
      const { readAppSettings } = await import('../../app-settings.js');
      const number = Object.keys(await readAppSettings(settingsFolder, {})).length;
      return [true, number === 0 ? 'There is none, or it sets nothing.' : `It sets ${number} names.`];
    });
  }
  const key = await check('There is a key', async () => [
    url === undefined ? await keyIn(data) : keyOf(env),
    `from ${keyFrom}`,
  ]);
  if (apiUrl === undefined) return report(null);

  // It takes no key, so it is asked with none: who answers is not known yet.
  const anonymous = createCall(async () => ({ apiUrl, key: 'none', keyFrom }));
  const health = await check('The app answers', async () => {
    const { value } = await anonymous('GET', '/health', { schema: Health });
    return [value, `It says that it is ${value.status}.`];
  });
  if (!health || key === undefined) return report(null);

  const client = createClient(async () => ({ apiUrl, key, keyFrom }));
  // It tells of the key, too. Any other call needs storage, and would wait in vain where that is what is wrong.
  const asked = await settled(client.diagnosis());
  if (!(asked.error instanceof AppAway)) {
    const accepted = await check('The key is accepted', async () => {
      if (asked.error instanceof KeyRefused) throw asked.error;
      return [true, 'It opens the app.'];
    });
    if (!accepted) return report(null);
  }
  const diagnosis = await check('The app examines itself', async () => {
    if (asked.value === undefined) throw asked.error;
    return [asked.value, `${asked.value.checks.length} checks, see below`];
  });
  if (!diagnosis) return report(null);
  checks.push(compareVersions(product.productVersion, diagnosis.version), ...diagnosis.checks);
  return report(diagnosis.version);
}

async function settled<T>(promise: Promise<T>): Promise<{ readonly value?: T; readonly error?: unknown }> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

function compareVersions(ours: string, theirs: string): Check {
  const same = ours === theirs;
  return {
    area: 'commandLine',
    name: 'App and command line are of one version',
    status: same ? 'ok' : 'warning',
    detail: same ? ours : `The app is ${theirs}, the command line ${ours}.`,
    remedy: same ? null : `Use the command line of version ${theirs}, or deploy ${ours}.`,
  };
}

/** What happened, and what to do. */
function told(error: unknown): { readonly detail: string; readonly remedy: string | null } {
  if (error instanceof Refused) return { detail: error.message, remedy: 'Check the version of the app.' };
  if (error instanceof CommandError) {
    const { what, remedy = null } = error;
    return { detail: `${what}.`.replace(/\.\.$/, '.'), remedy: remedy && upperFirst(remedy) };
  }
  return {
    detail: error instanceof Error ? error.message : String(error),
    remedy: 'Mend the file, or remove it.',
  };
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
