import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import * as z from 'zod';

/** The app's settings by name. The process environment wins over local.settings.json, as under Core Tools. */
export type Settings = Readonly<Record<string, string | undefined>>;

const LocalSettings = z.looseObject({
  IsEncrypted: z.boolean().optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  Host: z.looseObject({ CORS: z.string().optional() }).optional(),
});

/** Reads a JSON file in which comments are allowed; undefined if the file is absent. */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const errors: ParseError[] = [];
  const value: unknown = parse(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    throw new Error(
      `${path} is not valid JSON: ${printParseErrorCode(first.error)} at character ${first.offset}.`,
    );
  }
  return value;
}

/** Values of the app's local.settings.json, laid under `env`. */
export async function readSettings(appDir: string, env: Settings): Promise<Settings> {
  const path = join(appDir, 'local.settings.json');
  const file = await readJsonFile(path);
  if (file === undefined) return { ...env };
  const parsed = LocalSettings.safeParse(file);
  if (!parsed.success)
    throw new Error(`${path} can't be used. ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
  if (parsed.data.IsEncrypted) {
    throw new Error(`${path} is encrypted; this host can't read it. Run "func settings decrypt" first.`);
  }
  const values: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(parsed.data.Values ?? {})) {
    if (value !== null) values[name] = String(value);
  }
  return { ...values, ...env };
}

/** Replaces each `%NAME%` by that setting, as Azure does in queue names, schedules and hub names. */
export function resolvePercentNames(text: string, settings: Settings, where: string): string {
  return text.replace(/%([^%]+)%/g, (_whole, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`${where} names the setting ${name}, which is not set.`);
    return value;
  });
}

const identitySuffixes = [
  '__queueServiceUri',
  '__tableServiceUri',
  '__blobServiceUri',
  '__serviceUri',
  '__accountName',
];

/**
 * The storage connection string behind a binding's `connection`, looked up as Azure does: `AzureWebJobsX`, then `X`.
 * Identity-based connections are refused: this host has only connection strings.
 */
export function resolveConnection(name: string | undefined, settings: Settings, where: string): string {
  const wanted = name === undefined || name === '' || name === 'Storage' ? 'AzureWebJobsStorage' : name;
  const candidates = [`AzureWebJobs${wanted}`, wanted];
  for (const candidate of candidates) {
    const value = settings[candidate];
    if (value) return value;
  }
  for (const candidate of candidates) {
    const identity = identitySuffixes.find(suffix => settings[candidate + suffix]);
    if (identity) {
      throw new Error(
        `${where} connects with an identity (${candidate}${identity}), which this host lacks. Give ${wanted} a connection string.`,
      );
    }
  }
  throw new Error(
    `${where} needs the setting ${wanted}, which is not set. For Azurite on its usual ports set it to UseDevelopmentStorage=true.`,
  );
}
