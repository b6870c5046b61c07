import type * as z from 'zod';

export type Env = Readonly<Record<string, string | undefined>>;

const secretNames = /Key$|Token$|^AzureWebJobsStorage$|HEADERS$|CONNECTION_STRING$/;

/** Reads one setting; what is wrong with it is told with all the others. */
export interface Reader {
  required<T>(name: string, schema: z.ZodType<T>): T | undefined;
  optional<T>(name: string, schema: z.ZodType<T>): T | undefined;
}

/** An empty setting counts as absent: that is how portals and pipelines leave a value out. */
export function reader(env: Env, problems: string[]): Reader {
  const optional = <T>(name: string, schema: z.ZodType<T>): T | undefined => {
    const value = env[name];
    if (value === undefined || value === '') return undefined;
    if (value.startsWith('@Microsoft.KeyVault(')) {
      // Azure hands the text on as it is then, and for a token it could pass.
      problems.push(
        `${name}: its Key Vault reference was not resolved. Check that the secret exists and that this app's identity ` +
          'may read it.',
      );
      return undefined;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const where = issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
      problems.push(`${name}${where}: ${issue.message} (${masked(name, value)}).`);
    }
    return undefined;
  };
  return {
    optional,
    required: (name, schema) => {
      if (!env[name]) problems.push(`${name} is missing.`);
      return optional(name, schema);
    },
  };
}

/** What may be shown of a setting's value: never a secret, nor what may hold one. */
export const masked = (name: string, value: string): string =>
  secretNames.test(name) || mayHoldSecret(value)
    ? `it is set, ${value.length} characters, not shown`
    : `it is ${JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)}`;

/** A user and password, or a signature, in a URL; or a secret that was put into another setting by mistake. */
const mayHoldSecret = (value: string): boolean =>
  /:\/\/[^/]*@|[?&][a-z]+=|(?:Key|Signature|password|token|secret)\w*["']?\s*[=:]/i.test(value);
