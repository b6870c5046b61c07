import { Declaration, valueProblems } from '../deploy/parameter-values.js';
import type { Sample } from './samples.js';
import { expressionIn } from './template/expression.js';
import { at, isObject, type Json, type JsonObject, objectAt } from './template/json.js';

/** What Azure would refuse of the values of some parameters, as sentences that begin with where they are. */
export function sampleProblems(template: JsonObject, { name, parameters }: Sample): readonly string[] {
  const declared = objectAt(template, 'parameters');
  const unknown = Object.keys(parameters).filter(each => !Object.hasOwn(declared, each));
  const missing = Object.entries(declared).filter(
    ([each, it]) =>
      parameters[each] === undefined && at(it, 'defaultValue') === undefined && at(it, 'nullable') !== true,
  );
  return [
    ...unknown.map(each => `parameter ${each}: is none of the template's`),
    ...missing.map(([each]) => `parameter ${each}: is missing`),
    ...Object.entries(parameters).flatMap(([each, value]) => refusals(template, each, value)),
  ].map(
    problem => `${name.endsWith('.bicepparam') ? name : `scripts/infra/samples.ts, ${name}`}: ${problem}`,
  );
}

/** What it would refuse of the defaults; those that are worked out are told when they are. */
export const defaultProblems = (template: JsonObject, file: string): readonly string[] =>
  Object.entries(objectAt(template, 'parameters')).flatMap(([name, declared]) => {
    const value = at(declared, 'defaultValue');
    if (value === undefined || (typeof value === 'string' && expressionIn(value) !== undefined)) return [];
    return refusals(template, name, value).map(problem => `${file}: ${problem} (defaultValue)`);
  });

function refusals(template: JsonObject, name: string, value: Json): readonly string[] {
  const declaration = Declaration.safeParse(at(template, 'parameters', name));
  if (!declaration.success) return [];
  return valueProblems(name, value, declaration.data, definitionsOf(template)).map(
    problem => `parameter ${problem}`,
  );
}

const definitionsOf = (template: JsonObject): Readonly<Record<string, Declaration>> =>
  Object.fromEntries(
    Object.entries(objectAt(template, 'definitions'))
      .filter(([, each]) => isObject(each))
      .map(([name, each]) => [name, Declaration.parse(each)]),
  );
