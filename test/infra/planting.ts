import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { judge, subjectOf } from '../../scripts/infra/judge.js';
import type { Problem } from '../../scripts/infra/rules/rule.js';
import { type Sample, samples } from '../../scripts/infra/samples.js';
import { compiledFile, mainFile } from '../../scripts/infra/sources.js';
import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  jsonObject,
} from '../../scripts/infra/template/json.js';
import { moduleFiles } from '../../scripts/infra/template/module-files.js';
import { root } from '../../scripts/root.js';

/** The template as it is committed. */
export const template: JsonObject = jsonObject.parse(
  JSON.parse(await readFile(join(root, compiledFile), 'utf8')),
);

const files = moduleFiles(root, mainFile);

const everything = samples[1];
if (!everything) throw new Error('There is no sample that sets everything.');

/** What is wrong with a template. */
export const problemsOf = (changed: JsonObject, sample: Sample = everything): readonly Problem[] =>
  judge([subjectOf(changed, files, sample)]).flatMap(({ problems }) => problems);

/**
 * A template in which a property of each resource of a type is another, or, without a value, is gone.
 *
 * @param path e.g. `properties.subnets.0.properties.addressPrefix`.
 */
export function plant(type: string, path: string, value?: Json): JsonObject {
  let planted = 0;
  const visit = (part: Json): Json => {
    if (isList(part)) return part.map(visit);
    if (!isObject(part)) return part;
    if (part['type'] === type && part['apiVersion'] !== undefined) {
      planted += 1;
      return changedAt(part, path.split('.'), value);
    }
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, visit(inner)]));
  };
  const changed = visit(template);
  if (!isObject(changed) || planted === 0) throw new Error(`The template has no ${type}.`);
  return changed;
}

/** A template that has one resource more, beside those of the main file. */
export const plantResource = (body: JsonObject): JsonObject =>
  changedAt(template, ['resources', 'planted'], body);

export function changedAt(
  part: Json | undefined,
  path: readonly string[],
  value: Json | undefined,
): JsonObject {
  const [name = '', ...rest] = path;
  const source: Record<string, Json> = isList(part)
    ? Object.fromEntries(part.map((each, index) => [String(index), each]))
    : { ...(isObject(part) ? part : {}) };
  if (rest.length === 0) {
    if (value === undefined) delete source[name];
    else source[name] = value;
  } else source[name] = changedIn(source[name], rest, value);
  return source;
}

/** An array stays one. */
function changedIn(part: Json | undefined, path: readonly string[], value: Json | undefined): Json {
  const changed = changedAt(part, path, value);
  return isList(part) ? Object.values(changed) : changed;
}
