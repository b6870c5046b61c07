import { parseDemand } from '../demands.js';
import type { JobDefinition } from '../jobs.js';
import { isPredefined, macrosIn } from '../macros.js';
import type { AgentWork, Condition, ServerWork } from '../rows.js';
import { asMap, Fields } from './fields.js';
import { type ListNode, type Node, type Place, textOf } from './node.js';
import { readAgentSteps, readServerSteps } from './read-steps.js';
import type { Given, ReadVariables } from './read-variables.js';
import { readVariables, together } from './read-variables.js';
import { itemsOf, type Reading } from './templates.js';

export interface ReadJob {
  readonly definition: JobDefinition;
  readonly secret: ReadVariables['secret'];
  readonly at: Place;
}

const notPlayed = {
  strategy:
    'write a job for each with ${{ each }}, as infra/pipelines/examples/matrix.yml does; variables of a matrix do not expand in demands',
  deployment: 'only jobs are',
  container: 'the image is that of the agent',
  services: 'the image is that of the agent',
  workspace: 'each agent has one job and a fresh folder',
  continueOnError: 'a job that fails fails its run',
  cancelTimeoutInMinutes: 'a job has one minute',
  uses: 'no repository is there',
  templateContext: 'nothing reads it',
};

/** The jobs of a pipeline, those of its templates included. */
export function readJobs(
  list: ListNode,
  ofPipeline: ReadVariables,
  groups: Readonly<Record<string, Given>>,
  reading: Reading,
): readonly ReadJob[] {
  const { problems } = reading;
  return itemsOf(list.items, 'jobs', reading).flatMap(({ node, reading: inner }) => {
    const map = asMap(node, 'a job', problems);
    if (!map) return [];
    const fields = new Fields(map, 'a job', problems);
    const other = map.entries.find(({ key }) => key === 'deployment');
    if (other) {
      problems.add(other.at, `deployment of a pipeline is not played here: ${notPlayed.deployment}`);
      return [];
    }
    const name = fields.needed('job');
    if (name !== '' && !/^[A-Za-z_]\w{0,99}$/.test(name)) {
      problems.add(
        fields.node('job')?.at ?? map.at,
        `${name} is no name of a job: it is made of A-Z, a-z, 0-9 and _`,
      );
    }
    const variables = together(ofPipeline, readVariables(fields.node('variables'), groups, problems));
    const common = {
      name,
      displayName: fields.text('displayName') || name,
      dependsOn: readNames(fields.node('dependsOn'), inner),
      condition: readCondition(fields, inner),
      variables: variables.open,
      timeoutMinutes: fields.minutes('timeoutInMinutes', 60),
    };
    const pool = fields.node('pool');
    const steps = fields.list('steps');
    fields.end(notPlayed);
    if (!pool) problems.add(map.at, `the job ${name} needs pool: server, or the name of a pool of agents`);
    if (!steps) problems.add(map.at, `the job ${name} needs steps`);
    const work = pool && steps ? readWork(pool, steps, inner) : undefined;
    return work ? [{ definition: { ...common, work }, secret: variables.secret, at: map.at }] : [];
  });
}

function readWork(pool: Node, steps: ListNode, reading: Reading): ServerWork | AgentWork | undefined {
  if (pool.kind === 'scalar' && textOf(pool) === 'server') {
    const read = readServerSteps(steps, reading);
    return read && { kind: 'server', ...read };
  }
  const read = pool.kind === 'scalar' ? { pool: textOf(pool), demands: [] } : readPool(pool, reading);
  onlyPredefined(read.pool, 'the name of a pool', pool.at, reading);
  return { kind: 'agent', ...read, steps: readAgentSteps(steps, reading) };
}

function readPool(node: Node, reading: Reading): Pick<AgentWork, 'pool' | 'demands'> {
  const { problems } = reading;
  const map = asMap(node, 'pool', problems);
  if (!map) return { pool: '', demands: [] };
  const fields = new Fields(map, 'a pool', problems);
  const pool = fields.needed('name');
  const demands = fields.node('demands');
  fields.end({ vmImage: 'agents come from pools of their own, never from Microsoft' });
  const items = demands === undefined ? [] : demands.kind === 'list' ? demands.items : [demands];
  return {
    pool,
    demands: items.map(item => {
      const text = item.kind === 'scalar' ? textOf(item) : '';
      try {
        parseDemand(text);
      } catch (error) {
        problems.add(item.at, error instanceof Error ? error.message : String(error));
      }
      onlyPredefined(text, 'a demand', item.at, reading);
      return text;
    }),
  };
}

/** The service leaves others as they are written, and then finds no such agent. */
function onlyPredefined(text: string, what: string, at: Place, { problems }: Reading): void {
  for (const name of macrosIn(text)) {
    if (isPredefined(name)) continue;
    problems.add(at, `$(${name}) is no predefined variable that is known here: no other expands in ${what}`);
  }
}

function readNames(node: Node | undefined, { problems }: Reading): string[] {
  if (!node) return [];
  const items = node.kind === 'list' ? node.items : [node];
  return items.flatMap(item => {
    if (item.kind === 'scalar') return textOf(item) === '' ? [] : [textOf(item)];
    problems.add(item.at, 'dependsOn must be a name or a list of names');
    return [];
  });
}

const conditions: Readonly<Record<string, Condition>> = {
  'succeeded()': 'succeeded',
  'failed()': 'failed',
  'succeededorfailed()': 'succeededOrFailed',
  'always()': 'always',
};

function readCondition(fields: Fields, { problems }: Reading): Condition {
  const text = fields.text('condition');
  if (text === undefined) return 'succeeded';
  const condition = conditions[text.replaceAll(/\s/g, '').toLowerCase()];
  if (!condition) {
    problems.add(
      fields.node('condition')?.at ?? fields.at,
      `the condition ${text} is not played here: only succeeded(), failed(), succeededOrFailed() and always() are`,
    );
  }
  return condition ?? 'succeeded';
}
