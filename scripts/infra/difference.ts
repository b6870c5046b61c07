import { dirname, join } from 'node:path/posix';
import { isList, isObject, type Json, type JsonObject, objectAt, textAt } from './template/json.js';
import type { ModuleFiles } from './template/module-files.js';

/** One property that two templates have differently. */
interface Difference {
  readonly file: string;
  /** Type and symbolic name of a resource, or e.g. `parameter azDOToken`. */
  readonly resource: string;
  readonly property: string;
  readonly now: Json | undefined;
  readonly before: Json | undefined;
}

const most = 30;

/**
 * What the Bicep says otherwise than the compiled template that is committed: who changed one sees at once what the
 * other lacks, and what somebody changed without knowing shows by name.
 *
 * @returns sentences that name file, resource and property.
 */
export function differences(
  before: JsonObject,
  now: JsonObject,
  files: ModuleFiles,
  committed: string,
): readonly string[] {
  // A module that is used several times differs several times.
  const lines = new Set<string>();
  for (const each of ofTemplates(before, now, files)) {
    const [is, was] = excerpts(each.now, each.before);
    lines.add(
      `${each.file}: ${each.resource}: ${each.property ? `${each.property} ` : ''}${is}; in ${committed} it ${was}`,
    );
  }
  const all = [...lines];
  return all.length <= most ? all : [...all.slice(0, most), `… and ${all.length - most} more differences`];
}

const kinds = { parameters: 'parameter', variables: 'variable', outputs: 'output', definitions: 'type' };

function* ofTemplates(before: JsonObject, now: JsonObject, files: ModuleFiles): Generator<Difference> {
  for (const [section, kind] of Object.entries(kinds)) {
    for (const [name, was, is] of pairs(objectAt(before, section), objectAt(now, section))) {
      const from = textAt(is ?? was, 'metadata', '__bicep_imported_from!', 'sourceTemplate');
      const file = from === undefined ? files.file : join(dirname(files.file), from);
      yield* ofValues(file, `${kind} ${name}`, '', was, is);
    }
  }
  let index = 0;
  for (const [symbol, was, is] of pairs(resourcesOf(before), resourcesOf(now))) {
    const label = `${textAt(is ?? was, 'type') ?? 'resource'} ${symbol}`;
    const [wasInner, isInner] = [was, is].map(body => objectAt(body, 'properties', 'template'));
    const isModule = [wasInner, isInner].some(inner => inner && Object.keys(inner).length > 0);
    yield* ofValues(files.file, label, '', withoutTemplate(was), withoutTemplate(is));
    if (!isModule) continue;
    const module = files.module(symbol, index++);
    if (was !== undefined && is !== undefined) yield* ofTemplates(wasInner ?? {}, isInner ?? {}, module);
  }
}

/** By their symbolic names; templates that have none list them. */
const resourcesOf = (template: JsonObject): JsonObject => {
  const resources = template['resources'];
  return isList(resources) ? Object.fromEntries(resources.entries()) : objectAt(template, 'resources');
};

function withoutTemplate(body: Json | undefined): Json | undefined {
  if (!isObject(body) || !isObject(body['properties'])) return body;
  const { template: _, ...properties } = body['properties'];
  return { ...body, properties };
}

function* pairs(
  before: JsonObject,
  now: JsonObject,
): Generator<readonly [string, Json | undefined, Json | undefined]> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)]))
    yield [name, before[name], now[name]];
}

function* ofValues(
  file: string,
  resource: string,
  property: string,
  before: Json | undefined,
  now: Json | undefined,
): Generator<Difference> {
  if (isObject(before) && isObject(now)) {
    for (const [name, was, is] of pairs(before, now))
      yield* ofValues(file, resource, property ? `${property}.${name}` : name, was, is);
  } else if (isList(before) && isList(now) && before.length === now.length) {
    for (const [index, was] of before.entries())
      yield* ofValues(file, resource, `${property}[${index}]`, was, now[index]);
  } else if (isList(before) && isList(now)) {
    // One part more or less would let all that follow differ.
    const [lost, come] = [missingIn(before, now), missingIn(now, before)];
    for (const part of come) yield { file, resource, property, now: part, before: undefined };
    for (const part of lost) yield { file, resource, property, now: undefined, before: part };
  } else if (JSON.stringify(before) !== JSON.stringify(now)) yield { file, resource, property, now, before };
}

function missingIn(some: readonly Json[], others: readonly Json[]): readonly Json[] {
  const texts = new Set(others.map(each => JSON.stringify(each)));
  return some.filter(each => !texts.has(JSON.stringify(each)));
}

/** Both values; of long ones the part where they begin to differ. */
function excerpts(now: Json | undefined, before: Json | undefined): readonly [string, string] {
  const [a, b] = [now, before].map(value => (value === undefined ? undefined : JSON.stringify(value)));
  const same = Array.from(a ?? '').findIndex((sign, index) => sign !== b?.[index]);
  const start = Math.max(0, same - 30);
  const [is = '', was = ''] = [a, b].map(text => {
    if (text === undefined) return 'is not there';
    const from = text.length > 120 ? start : 0;
    const part = text.slice(from, from + 120);
    return `is ${from > 0 ? '…' : ''}${part}${from + 120 < text.length ? '…' : ''}`;
  });
  return [is, was];
}
