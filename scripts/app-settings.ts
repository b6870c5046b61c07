import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParseError, parse } from 'jsonc-parser';
import * as z from 'zod';
import type { Settings } from './local/stack/plan.js';

/** Names that a shell may set for the app; anything else in the environment is not meant for it. */
const appSetting =
  /^(AzureWebJobsStorage(__\w+)?|BatchA\w+|ContainerRegistry\w+|AzDO\w+|Agent(Profiles|OSTypes)|CallbackTokenKey|AllowedPlanHosts|WatchSeconds|ReplyQueues|KeepPlaceholders)$/;

const LocalSettings = z.looseObject({ Values: z.record(z.string(), z.coerce.string()).default({}) });

/**
 * The app's settings on this machine: local.settings.json, and over it the environment, as under Core Tools.
 *
 * @throws a sentence when the file is there and can't be read
 */
export async function readAppSettings(root: string, env: Settings): Promise<Settings> {
  const fromShell = Object.fromEntries(Object.entries(env).filter(([name]) => appSetting.test(name)));
  const path = join(root, 'local.settings.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return fromShell;
    throw error;
  }
  const errors: ParseError[] = [];
  const file = LocalSettings.safeParse(parse(text, errors, { allowTrailingComma: true }));
  // What the parser says could quote a secret.
  if (errors.length > 0 || !file.success) {
    throw new Error(`${path} is not a settings file: it must be JSON with an object "Values" of texts.`);
  }
  return { ...file.data.Values, ...fromShell };
}
