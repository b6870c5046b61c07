import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../root.js';
import { Declaration, type Definitions, valueProblems } from './parameter-values.js';

/** What is deployed: the compiled Bicep that is committed, which `npm run infra:check` has judged. */
export const templatePath = join('infra', 'azuredeploy.json');

const Parameter = Declaration.extend({
  defaultValue: z.unknown().optional(),
  metadata: z.looseObject({ description: z.string().optional() }).optional(),
});
const Template = z.looseObject({
  parameters: z.record(z.string(), Parameter),
  definitions: z.record(z.string(), Declaration).optional(),
});
export type Template = z.infer<typeof Template>;

const ParameterFile = z.looseObject({
  parameters: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })),
});
export type ParameterFile = z.infer<typeof ParameterFile>;

/** What a deployment is made of, and what is wrong with that. */
export interface Inputs {
  readonly template: Template;
  readonly parameters: ParameterFile['parameters'];
}

const nothing: Inputs = { template: { parameters: {} }, parameters: {} };

/** Reads the template and the file of parameters. @param problems gets a sentence for each thing that is wrong. */
export async function readInputs(file: string | undefined, problems: string[]): Promise<Inputs> {
  const template = await readJson(join(root, templatePath), templatePath, Template);
  const given = file === undefined ? undefined : await readJson(file, file, ParameterFile);
  for (const each of [template, given]) if (typeof each === 'string') problems.push(each);
  if (typeof template === 'string' || typeof given === 'string') return nothing;
  const parameters = given?.parameters ?? {};
  for (const [name, { value, ...rest }] of Object.entries(parameters)) {
    const declared = template.parameters[name];
    if (declared === undefined) problems.push(`${file}: there is no parameter ${name}.`);
    // A secret of some other vault: its value is Azure's to fetch.
    else if (!('reference' in rest)) problems.push(...wrong(`${file}: ${name}`, value, declared, template));
  }
  for (const [name, parameter] of Object.entries(template.parameters)) {
    if ('defaultValue' in parameter || Object.hasOwn(parameters, name) || isSecret(parameter)) continue;
    const description = parameter.metadata?.description;
    problems.push(
      `The parameter ${name} has no value: put it into ${file ?? 'a file for --parameters'}.` +
        (description === undefined ? '' : ` (${description})`),
    );
  }
  return { template, parameters };
}

function wrong(
  place: string,
  value: unknown,
  declared: Declaration,
  { definitions = {} }: { readonly definitions?: Definitions | undefined },
): readonly string[] {
  return value === undefined
    ? [`${place} has neither a value nor a reference.`]
    : valueProblems(place, value, declared, definitions);
}

export const isSecret = ({ type }: { readonly type?: string | undefined }): boolean =>
  /^secure/i.test(type ?? '');

/** @returns a sentence when the file can't be used */
async function readJson<T>(path: string, name: string, schema: z.ZodType<T>): Promise<T | string> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success
      ? parsed.data
      : `${name} is not what it should be: ${z.prettifyError(parsed.error)}`;
  } catch (error) {
    // What stands in the file may be secret, and the parser would cite it.
    if (error instanceof SyntaxError) return `${name} is no JSON.`;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    return code === 'ENOENT' ? `There is no ${name}.` : `${name} can not be read (${code}).`;
  }
}
