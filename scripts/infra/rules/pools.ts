import { FormulaError } from '../../local/autoscale/formula.js';
import { parseFormula } from '../../local/autoscale/parse.js';
import { at, type Json, listAt, objectAt, text, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { mustBe, ofType, type Problem, problem, type Rule, type Subject, shown } from './rule.js';

const poolType = 'Microsoft.Batch/batchAccounts/pools';

/** What the Batch service takes, and what it would say. */
function formulaProblems(pool: Resource, property: string, formula: string): readonly Problem[] {
  try {
    parseFormula(formula);
    return [];
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    return error.problems.map(({ line, column, cause }) =>
      problem(pool, `${property} at ${line}:${column}`, 'is refused', cause),
    );
  }
}

/** Cores of a VM size as its name tells them: Standard_D4s_v5 has 4, Standard_E8-2s_v5 has 2. */
function coresOf(vmSize: string): number | undefined {
  const [, cores, active] = /^Standard_[A-Z]+(\d+)(?:-(\d+))?/i.exec(vmSize) ?? [];
  const count = active ?? cores;
  return count === undefined ? undefined : Number(count);
}

function slotProblems(pool: Resource): readonly Problem[] {
  const slots = Number(at(pool.body, 'properties', 'taskSlotsPerNode') ?? 1);
  const vmSize = textAt(pool.body, 'properties', 'vmSize') ?? '';
  const cores = coresOf(vmSize);
  const most = Math.min(256, 4 * (cores ?? 64));
  if (slots >= 1 && slots <= most) return [];
  const should = `a node of ${vmSize} can have ${most} (four a core, 256 at most)`;
  return [problem(pool, 'properties.taskSlotsPerNode', shown(slots), should)];
}

/** The entry of the parameter that a pool is made of. */
function askedFor(subject: Subject, pool: Resource): Json | undefined {
  const otherwise = at(subject.templates[0]?.template, 'parameters', 'pools', 'defaultValue');
  const asked = at(subject.parameters, 'pools') ?? otherwise;
  const name = pool.name.split('/').at(-1);
  return listAt(asked).find(each => `${textAt(each, 'name')}-${textAt(each, 'version')}` === name);
}

/** Of two assignments the later one holds: it has to be that of the parameter. */
function ownProblems(
  subject: Subject,
  pool: Resource,
  property: string,
  formula: string,
): readonly Problem[] {
  const asked = askedFor(subject, pool);
  const own = { slotsPerAgent: at(asked, 'slots') ?? 1, ...objectAt(asked, 'autoScale') };
  return Object.entries(asked === undefined ? {} : own).flatMap(([parameter, value]) => {
    const last = [...formula.matchAll(new RegExp(`^\\s*${parameter}\\s*=\\s*([^;]+);`, 'gm'))].at(-1)?.[1];
    if (last?.trim() === text(value)) return [];
    const is = `has ${parameter} = ${last ?? 'nothing'}`;
    return [problem(pool, property, is, `it must end up with the pool's own: ${text(value)}`)];
  });
}

/** What would let jobs reach more of their node, or of others, than their container. */
function isolationProblems(pool: Resource): readonly Problem[] {
  const no = (property: string, why: string): readonly Problem[] =>
    at(pool.body, 'properties', property) === undefined
      ? []
      : [problem(pool, `properties.${property}`, 'is set', `leave it out: ${why}`)];
  return [
    ...mustBe(pool, 'properties.interNodeCommunication', 'Disabled'),
    ...no('userAccounts', 'a password would be written here'),
    ...no('startTask', 'nodes need nothing but their images'),
    ...no('mountConfiguration', 'nodes of one agent would write for the next'),
    ...no('applicationPackages', 'what agents need is in their image'),
  ];
}

/** The node agent and the image are of one system, and of the one that the profile says. */
function systemProblems(subject: Subject, pool: Resource): readonly Problem[] {
  const agent = textAt(
    pool.body,
    'properties',
    'deploymentConfiguration',
    'virtualMachineConfiguration',
    'nodeAgentSkuId',
  );
  const os = textAt(askedFor(subject, pool), 'os');
  const isWindows = agent?.startsWith('batch.node.windows') ?? false;
  if (agent === undefined || os === undefined || isWindows === (os === 'windows')) return [];
  const property = 'properties.deploymentConfiguration.virtualMachineConfiguration.nodeAgentSkuId';
  return [problem(pool, property, shown(agent), `the os of its profile is ${os}`)];
}

function scaleProblems(subject: Subject, pool: Resource): readonly Problem[] {
  const path = ['properties', 'scaleSettings', 'autoScale', 'formula'];
  const property = path.join('.');
  const formula = textAt(pool.body, ...path);
  if (formula === undefined)
    return [problem(pool, property, 'is not set', 'nodes must come and go by themselves')];
  return [
    ...formulaProblems(pool, property, formula),
    ...ownProblems(subject, pool, property, formula),
    ...mustBe(pool, 'properties.scaleSettings.autoScale.evaluationInterval', 'PT5M'),
    // Spread over all of them, agents would keep every node from going.
    ...mustBe(pool, 'properties.taskSchedulingPolicy.nodeFillType', 'Pack'),
  ];
}

function containerProblems(pool: Resource): readonly Problem[] {
  const machine = ['properties', 'deploymentConfiguration', 'virtualMachineConfiguration'];
  const container = [...machine, 'containerConfiguration'];
  const path = container.join('.');
  const images = listAt(pool.body, ...container, 'containerImageNames');
  const problems = [...mustBe(pool, `${path}.type`, 'DockerCompatible')];
  const servers = listAt(pool.body, ...container, 'containerRegistries').map(
    each => textAt(each, 'registryServer') ?? '',
  );
  if (images.length === 0) {
    const should = 'images that nodes have at their start are not waited for';
    problems.push(problem(pool, `${path}.containerImageNames`, 'is empty', should));
  }
  for (const [index, image] of images.entries()) {
    if (servers.some(server => text(image).startsWith(`${server}/`))) continue;
    const should = `it must begin with a registry that the nodes sign in to: ${servers.join(', ')}`;
    problems.push(problem(pool, `${path}.containerImageNames[${index}]`, shown(image), should));
  }
  const disk = [...machine, 'osDisk', 'ephemeralOSDiskSettings'];
  if (at(pool.body, ...disk)) {
    problems.push(problem(pool, disk.join('.'), 'is set', 'Spot nodes can not have ephemeral disks'));
  }
  const mode = 'properties.targetNodeCommunicationMode';
  if (at(pool.body, ...mode.split('.')) !== undefined) {
    problems.push(
      problem(pool, mode, 'is set', 'leave it out: this version of the API has no such property'),
    );
  }
  return problems;
}

export const poolRules: readonly Rule[] = [
  {
    name: 'a node has as many task slots as its size allows',
    why: 'Batch refuses the pool else',
    check: subject => ofType(subject, poolType).flatMap(slotProblems),
  },
  {
    name: 'pools scale by a formula that Batch takes',
    why: 'a pool of a fixed size costs when nobody builds, and a formula that is refused scales nothing',
    check: subject => ofType(subject, poolType).flatMap(pool => scaleProblems(subject, pool)),
  },
  {
    name: 'nodes run containers, and have their images before the first agent',
    why: 'an image of some gigabytes is minutes of waiting',
    check: subject => ofType(subject, poolType).flatMap(containerProblems),
  },
  {
    name: 'nodes are of the system of their profile, and give jobs nothing but their container',
    why: 'an agent of another system does not start, and what a job leaves on a node the next one finds',
    check: subject =>
      ofType(subject, poolType).flatMap(pool => [
        ...systemProblems(subject, pool),
        ...isolationProblems(pool),
      ]),
  },
];
