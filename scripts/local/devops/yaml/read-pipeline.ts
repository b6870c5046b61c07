import type { JobDefinition } from '../jobs.js';
import type { Variables } from '../macros.js';
import { expandTemplate } from './expand.js';
import { asMap, Fields } from './fields.js';
import { type Entry, type MapNode, type Place, scalar, textOf } from './node.js';
import { bindParameters } from './parameters.js';
import { parseYaml } from './parse-yaml.js';
import { PipelineTooLarge, type Problem, Problems } from './problems.js';
import { type ReadJob, readJobs } from './read-jobs.js';
import { type Given, readVariables, split, together } from './read-variables.js';

/** A pipeline's files, and what a person says when they queue a run of it. */
export interface PipelineSource {
  /** The pipeline's own file. */
  readonly path: string;
  /** Text of it and of every template, by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly variables: Given;
  readonly groups: Readonly<Record<string, Given>>;
}

export interface Pipeline {
  readonly jobs: readonly JobDefinition[];
  readonly secretVariables: Variables;
}

export type ReadPipeline =
  | { readonly ok: true; readonly pipeline: Pipeline }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** One machine plays them all at once, if they do not wait for each other. */
const mostJobs = 500;

const byHand = 'a run is queued by hand: only none is';
const notPlayed = {
  stages: 'write the jobs of all stages as jobs, with dependsOn',
  steps: 'write them as a job',
  pool: 'give it to each job',
  extends: 'include a template of jobs',
  resources: 'only files that come with the pipeline are',
  schedules: byHand,
  lockBehavior: 'nothing is locked',
  appendCommitMessageToRunName: 'there is no commit',
};

/**
 * Reads a pipeline: the subset of Azure Pipelines' YAML that can be played here. Everything else in it is refused by
 * name, with its place, all at once.
 */
export function readPipeline(source: PipelineSource): ReadPipeline {
  const problems = new Problems();
  try {
    const pipeline = read(source, problems);
    if (pipeline && problems.all.length === 0) return { ok: true, pipeline };
  } catch (error) {
    if (!(error instanceof PipelineTooLarge)) throw error;
  }
  return { ok: false, problems: problems.all };
}

function read(source: PipelineSource, problems: Problems): Pipeline | undefined {
  const { path, files, groups } = source;
  const start: Place = { file: path, line: 1, column: 1 };
  const text = Object.hasOwn(files, path) ? files[path] : undefined;
  if (text === undefined) {
    problems.add(start, 'the file is not among those that came');
    return undefined;
  }
  const parsed = parseYaml(path, text, problems);
  const written = parsed && asMap(parsed, 'a pipeline', problems);
  if (!written) return undefined;
  const root = expandRoot(written, source, start, problems);

  const fields = new Fields(root, 'a pipeline', problems);
  fields.entry('parameters');
  fields.text('name');
  for (const key of ['trigger', 'pr']) {
    const node = fields.node(key);
    if (node && !(node.kind === 'scalar' && textOf(node) === 'none')) {
      problems.add(node.at, `${key} is not played here: ${byHand}`);
    }
  }
  const ofPipeline = together(
    readVariables(fields.node('variables'), groups, problems),
    split(source.variables),
  );
  const list = fields.list('jobs');
  fields.end(notPlayed);
  if (!list && !fields.entry('stages') && !fields.entry('steps'))
    problems.add(root.at, 'a pipeline needs jobs');
  const jobs = list ? readJobs(list, ofPipeline, groups, { problems, files, within: [path] }) : [];
  if (jobs.length > mostJobs) {
    problems.add(root.at, `${jobs.length} jobs are too many: at most ${mostJobs} are played here`);
  } else checkGraph(jobs, problems);
  return {
    jobs: jobs.map(({ definition }) => definition),
    secretVariables: jobs.reduce<Variables>((all, { secret }) => ({ ...all, ...secret }), ofPipeline.secret),
  };
}

/** Everything but the declarations of parameters, with its template expressions replaced. */
function expandRoot(written: MapNode, source: PipelineSource, start: Place, problems: Problems): MapNode {
  const queued: Place = { file: 'the parameters of this run', line: 1, column: 1 };
  const given = Object.entries(source.parameters).map(
    ([key, value]): Entry => ({ key, at: queued, value: scalar(value, queued) }),
  );
  const declared = written.entries.find(({ key }) => key === 'parameters');
  const parameters = bindParameters(declared?.value, given, declared?.at ?? start, problems);
  const rest = written.entries.filter(entry => entry !== declared);
  const expanded = expandTemplate({ ...written, entries: rest }, { parameters }, problems);
  return expanded.kind === 'map' ? expanded : written;
}

/** Names are there once, and each job can have its turn. */
function checkGraph(jobs: readonly ReadJob[], problems: Problems): void {
  const names = new Set<string>();
  for (const { definition, at } of jobs) {
    if (names.has(definition.name)) problems.add(at, `there are two jobs ${definition.name}`);
    names.add(definition.name);
  }
  for (const { definition, at } of jobs) {
    for (const name of definition.dependsOn) {
      if (!names.has(name)) {
        problems.add(at, `the job ${definition.name} depends on ${name}, which is not there`);
      }
    }
  }
  let waiting = jobs;
  for (;;) {
    const left = new Set(waiting.map(({ definition }) => definition.name));
    const next = waiting.filter(({ definition }) => definition.dependsOn.some(name => left.has(name)));
    if (next.length === waiting.length) break;
    waiting = next;
  }
  for (const { definition, at } of waiting) {
    problems.add(at, `the job ${definition.name} waits for itself: its dependsOn goes round in a circle`);
  }
}
