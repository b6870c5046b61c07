import { posix } from 'node:path';
import { expandTemplate } from './expand.js';
import { Fields } from './fields.js';
import type { MapNode, Node } from './node.js';
import { bindParameters } from './parameters.js';
import { parseYaml } from './parse-yaml.js';
import type { Problems } from './problems.js';

/** What all parts of a pipeline are read with. */
export interface Reading {
  readonly problems: Problems;
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>;
  /** The templates within which this part is included. */
  readonly within: readonly string[];
}

const pathFrom = (includer: string, template: string): string =>
  template.startsWith('/')
    ? posix.normalize(template.slice(1))
    : posix.join(posix.dirname(includer), template);

/**
 * The items of a list of jobs or steps, with those of each template in the place where it is included.
 *
 * @param key what a template has: `jobs` or `steps`
 */
export function itemsOf(
  items: readonly Node[],
  key: 'jobs' | 'steps',
  reading: Reading,
): ReadonlyArray<{ readonly node: Node; readonly reading: Reading }> {
  return items.flatMap(node => {
    const isTemplate = node.kind === 'map' && node.entries.some(entry => entry.key === 'template');
    return isTemplate ? included(node, key, reading) : [{ node, reading }];
  });
}

function included(
  node: MapNode,
  key: 'jobs' | 'steps',
  reading: Reading,
): ReadonlyArray<{ readonly node: Node; readonly reading: Reading }> {
  const { problems, files } = reading;
  const fields = new Fields(node, 'a template', problems);
  const template = fields.needed('template');
  const given = fields.map('parameters')?.entries ?? [];
  fields.end();
  const at = fields.node('template')?.at ?? node.at;
  if (template.includes('@')) {
    problems.add(
      at,
      `${template} is in another repository: only files that come with the pipeline are played`,
    );
    return [];
  }
  const file = pathFrom(at.file, template);
  if (file.startsWith('../')) {
    problems.add(at, `the template ${template} would be outside of the repository`);
    return [];
  }
  const text = Object.hasOwn(files, file) ? files[file] : undefined;
  if (text === undefined) {
    problems.add(at, `the template ${template} is not there: it would be ${file}`);
    return [];
  }
  if (file === node.at.file || reading.within.includes(file)) {
    problems.add(at, `the template ${template} is included within itself`);
    return [];
  }
  const root = parseYaml(file, text, problems);
  if (!root) return [];
  if (root.kind !== 'map') {
    problems.add(root.at, 'a template must be keys and values');
    return [];
  }
  const body = new Fields(root, 'a template', problems);
  const parameters = bindParameters(body.node('parameters'), given, at, problems);
  const list = body.list(key);
  body.end(
    key === 'jobs'
      ? { stages: 'a template of jobs has jobs', steps: 'this one is included among jobs' }
      : { jobs: 'this one is included among steps' },
  );
  if (!list) {
    problems.add(root.at, `a template that is included here needs ${key}`);
    return [];
  }
  const expanded = expandTemplate(list, { parameters }, problems);
  return itemsOf(expanded.kind === 'list' ? expanded.items : [], key, {
    ...reading,
    within: [...reading.within, file],
  });
}
