import { rules } from './rules/index.js';
import type { Problem, Rule, Subject, WrittenTemplate } from './rules/rule.js';
import { type Sample, sampleSecrets } from './samples.js';
import { deploy } from './template/deploy.js';
import { isObject, type JsonObject, listAt, objectAt } from './template/json.js';
import type { ModuleFiles } from './template/module-files.js';

export function subjectOf(template: JsonObject, files: ModuleFiles, sample: Sample): Subject {
  const templates = [...writtenTemplates(template, files)];
  return { ...deploy(template, sample.parameters, files), ...sample, templates, secrets: sampleSecrets };
}

function* writtenTemplates(template: JsonObject, files: ModuleFiles): Generator<WrittenTemplate> {
  yield { file: files.file, template };
  const resources = template['resources'];
  let index = 0;
  const bodies = isObject(resources)
    ? Object.entries(resources)
    : listAt(template, 'resources').map(body => [undefined, body] as const);
  for (const [symbol, body] of bodies) {
    const nested = objectAt(body, 'properties', 'template');
    if (Object.keys(nested).length === 0) continue;
    yield* writtenTemplates(nested, files.module(symbol, index++));
  }
}

export interface Judgement {
  readonly rule: Rule;
  readonly problems: readonly Problem[];
}

export const judge = (subjects: readonly Subject[]): readonly Judgement[] =>
  rules.map(rule => {
    const told = new Set<string>();
    const problems = subjects.flatMap((subject, index) => {
      const found = rule.check(subject).filter(problem => !told.has(essence(problem)));
      for (const problem of found) told.add(essence(problem));
      return index === 0 ? found : found.map(problem => ({ ...problem, by: subject.name }));
    });
    return { rule, problems };
  });

/** A problem but for the name of its resource: other samples show the same under another name. */
const essence = ({ file, resource, property, is, should }: Problem): string =>
  JSON.stringify([file, resource.split(' ')[0], property, is, should]);
