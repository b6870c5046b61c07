import { posix } from 'node:path';
import { type Area, addressesMayBeNamedIn, areas, wordsOfTheLocalStack } from './areas.js';
import { findCycles } from './cycles.js';
import { type Import, type Module, readModule } from './read-module.js';

/** Sources by their path from the root, with `/`. */
export type Sources = ReadonlyMap<string, string>;

export interface ImportReport {
  readonly violations: readonly string[];
  /** Files seen in each area, so that an area nobody looked at can be told from a clean one. */
  readonly seen: ReadonlyMap<string, number>;
  readonly imports: number;
}

const under = (path: string, place: string): boolean =>
  place.endsWith('/') ? path.startsWith(place) : path === place;

const areaOf = (path: string): Area | undefined => areas.find(area => under(path, area.path));

/** The package of a specifier: `@azure/batch/x` → `@azure/batch`. */
const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Checks every rule of the architecture over the given sources. */
export function checkImports(sources: Sources): ImportReport {
  const violations: string[] = [];
  const seen = new Map<string, number>();
  const graph = new Map<string, string[]>();
  let imports = 0;

  for (const [path, source] of sources) {
    const area = areaOf(path);
    if (!area) {
      violations.push(`${path}: belongs to no part of the house (functions, shared, scripts, test)`);
      continue;
    }
    seen.set(area.name, (seen.get(area.name) ?? 0) + 1);
    const module = readModule(path, source);
    imports += module.imports.length;
    const targets: string[] = [];
    for (const imported of module.imports) {
      const problem = checkImport(path, area, imported, sources, targets);
      if (problem) violations.push(`${path}:${imported.line}: ${problem}`);
    }
    graph.set(path, targets);
    violations.push(...checkSurroundings(path, area, module), ...checkText(path, area, source));
  }
  for (const cycle of findCycles(graph)) violations.push(`import cycle: ${cycle.join(' → ')}`);
  return { violations, seen, imports };
}

function checkImport(
  path: string,
  area: Area,
  { specifier, typeOnly }: Import,
  sources: Sources,
  targets: string[],
): string | undefined {
  if (specifier === undefined) {
    return area.packages === 'any' ? undefined : `${area.name} must not import what only a run can tell`;
  }
  if (specifier.startsWith('.')) {
    const target = resolveLocal(path, specifier, sources);
    if (!target) return `imports ${specifier}, which is not there`;
    targets.push(target);
    const allowed = [...area.local, ...(typeOnly ? (area.localTypes ?? []) : [])];
    const excepted = area.except?.some(place => under(target, place));
    if (areaOf(target) === area || (!excepted && allowed.some(place => under(target, place))))
      return undefined;
    const asTypes = !typeOnly && area.localTypes?.some(place => under(target, place));
    return `${area.name} must not import ${target}${asTypes ? ', but for its types' : ''}`;
  }
  if (area.packages === 'any') return undefined;
  const name = packageOf(specifier);
  if (area.packages.includes(name)) return undefined;
  if (area.packageTypes?.includes(name)) {
    return typeOnly ? undefined : `${area.name} must not import ${name}, but for its types (\`import type\`)`;
  }
  return `${area.name} must not import ${specifier}`;
}

/** A `.js` specifier names the `.ts` or `.tsx` beside it, or what a `.d.ts` tells of; `.mjs` is there as it is. */
function resolveLocal(path: string, specifier: string, sources: Sources): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  const written = ['.ts', '.tsx', '.d.ts'].map(extension => target.replace(/\.js$/, extension));
  return [...written, target].find(candidate => sources.has(candidate));
}

function checkSurroundings(path: string, area: Area, { globals }: Module): string[] {
  if (area.banned === 'nothing') return [];
  return globals
    .filter(({ name }) => area.banned === 'everything ambient' || name === 'process')
    .map(({ name, line }) => `${path}:${line}: ${area.name} must not use ${name}`);
}

function checkText(path: string, area: Area, source: string): string[] {
  const problems: string[] = [];
  const lines = source.trimEnd().split('\n').length;
  if (area.maxLines !== undefined && lines > area.maxLines) {
    problems.push(`${path}: has ${lines} lines; ${area.maxLines} are enough for a trigger`);
  }
  if (!path.startsWith('functions/') && !path.startsWith('shared/')) return problems;
  const text = source.toLowerCase();
  for (const word of wordsOfTheLocalStack) {
    const isAddress = word === '127.0.0.1' || word === 'localhost';
    if (isAddress && path.startsWith(addressesMayBeNamedIn)) continue;
    if (text.includes(word.toLowerCase())) problems.push(`${path}: knows of the local stack ("${word}")`);
  }
  return problems;
}
