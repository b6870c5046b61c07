import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  maxFormulaBytes,
  type SampledVariable,
  type SampleHistory,
} from '../../scripts/local/autoscale/formula.js';
import { parseFormula } from '../../scripts/local/autoscale/parse.js';
import { root } from '../../scripts/root.js';
import {
  capped,
  committedFormula,
  compare,
  fiveAgentsANode,
  oneAgentANode,
  type Parameters,
} from '../../scripts/simulate/docs/committed.js';
import { goals } from '../../scripts/simulate/docs/tables.js';
import { endOfParameters, parametersOf, withParameters } from '../../scripts/simulate/formula-file.js';
import { ratios } from '../../scripts/simulate/report.js';
import { simulate } from '../../scripts/simulate/simulation.js';
import { generateTrace } from '../../scripts/simulate/trace/generate.js';
import { readRecipe } from '../../scripts/simulate/trace/recipe.js';

/** A Saturday, so that no office hour is meant. */
const saturday = Date.parse('2026-03-07T12:00:00Z');
const minute = 60_000;

interface Situation {
  readonly now?: number;
  readonly slots?: number;
  readonly targets?: { readonly spot?: number; readonly dedicated?: number };
  /** Samples of agents, the newest first, each half a minute older, beginning a minute ago. */
  readonly agents?: readonly number[];
  readonly spot?: number;
  readonly preempted?: number;
}

function history(now: number, { agents = [], spot = 0, preempted = 0 }: Situation): SampleHistory {
  const at = (index: number) => now - minute - index * 30_000;
  const valueOf = (variable: SampledVariable, index: number): number => {
    if (variable === '$PendingTasks') return agents[index] ?? 0;
    return variable === '$CurrentLowPriorityNodes'
      ? spot
      : variable === '$PreemptedNodeCount'
        ? preempted
        : 0;
  };
  const all = agents.map((_, index) => index);
  return {
    periodMs: 30_000,
    beginsAt: agents.length === 0 ? undefined : at(agents.length - 1),
    between: (variable, from, to) =>
      all.filter(index => at(index) >= from && at(index) <= to).map(index => valueOf(variable, index)),
    latest: (variable, count) => all.slice(0, count).map(index => valueOf(variable, index)),
  };
}

const roomy: Parameters = { maxLowPriorityNodes: 100, maxDedicatedNodes: 10 };
const half = (agents: number, samples = 40): readonly number[] =>
  Array.from({ length: samples }, () => agents);

/** @returns Spot and dedicated nodes that the formula wants */
function wanted(situation: Situation, parameters: Parameters = {}): readonly (number | undefined)[] {
  const now = situation.now ?? saturday;
  const evaluation = committedFormula('agents', { ...roomy, ...parameters }).evaluate({
    now,
    history: history(now, situation),
    taskSlotsPerNode: situation.slots ?? 1,
    targetLowPriorityNodes: situation.targets?.spot ?? 0,
    targetDedicatedNodes: situation.targets?.dedicated ?? 0,
  });
  assert.is(evaluation.error, undefined);
  assert.is(evaluation.nodeDeallocationOption, 'taskcompletion');
  return [evaluation.targetLowPriorityNodes, evaluation.targetDedicatedNodes];
}

const agents = suite('agents.formula');

agents('is far below the longest that Batch takes', async () => {
  const text = await readFile(join(root, 'infra/autoscale/agents.formula'), 'utf8');
  assert.ok(Buffer.byteLength(text) < maxFormulaBytes / 2, `${Buffer.byteLength(text)} bytes`);
});

agents('takes other values between its parameters and its logic, as the template writes them', async () => {
  const text = await readFile(join(root, 'infra/autoscale/agents.formula'), 'utf8');
  const [defaults = '', logic = '', ...more] = text.split(endOfParameters);
  assert.equal(more, []);
  const names = parametersOf(text).map(({ name }) => name);
  assert.is(defaults.split('\n').filter(line => line.includes('=')).length, names.length);
  const lines = names.map(name => `${name} = 7;`).join('\n');
  const { results } = parseFormula(`${defaults}${lines}\n${logic}`).evaluate({
    now: saturday,
    history: history(saturday, { agents: half(0) }),
    taskSlotsPerNode: 7,
    targetDedicatedNodes: 0,
    targetLowPriorityNodes: 0,
  });
  for (const name of names) assert.match(results, new RegExp(`\\b${name}=7\\b`));
  assert.match(results, /\$TargetLowPriorityNodes=7;/);
  assert.equal(
    new Set(
      parametersOf(withParameters(text, new Map(names.map(name => [name, 7])))).map(({ value }) => value),
    ),
    new Set([7]),
  );
});

agents('wants nothing when nobody builds', () => {
  assert.equal(wanted({ agents: half(0) }), [0, 0]);
  assert.equal(wanted({}), [0, 0], 'a new pool');
});

agents('brings what all agents need at once, with room in proportion to what is usual', () => {
  for (const [slots, pending, nodes] of [
    [1, 1, 1],
    [1, 10, 12],
    [5, 1, 1],
    [5, 4, 1],
    [5, 5, 2],
    [5, 50, 12],
    [4, 33, 10],
  ] as const) {
    assert.equal(wanted({ slots, agents: half(pending) }), [nodes, 0], `${pending} agents, ${slots} slots`);
  }
  // A burst of two samples is hardly usual yet: 40, and a fifth of the average of 4.
  assert.equal(wanted({ agents: [40, 40, ...half(0)] }), [41, 0]);
});

agents('rounds up, and adds nothing when no room is wanted', () => {
  for (const [slots, pending, nodes] of [
    [5, 5, 1],
    [5, 6, 2],
    [1, 3, 3],
  ] as const) {
    assert.equal(wanted({ slots, agents: half(pending) }, { sparePercent: 0 }), [nodes, 0]);
  }
  assert.equal(wanted({ slots: 4, agents: half(3) }, { sparePercent: 0, slotsPerAgent: 2 }), [2, 0]);
});

agents('holds nodes for a while after the agents that they were for', () => {
  const since = (samples: number) => [...half(0, samples), 30, ...half(0)];
  assert.is(
    wanted({ agents: since(17), targets: { spot: 30 }, spot: 30 })[0],
    30,
    'nine and a half minutes ago',
  );
  assert.is(
    wanted({ agents: since(19), targets: { spot: 30 }, spot: 30 })[0],
    0,
    'ten and a half minutes ago',
  );
  assert.is(wanted({ agents: since(19), targets: { spot: 30 }, spot: 30 }, { holdMinutes: 15 })[0], 30);
});

agents('keeps to its caps, and to the nodes that are always to be there', () => {
  assert.equal(wanted({ agents: half(500) }), [100, 0]);
  assert.equal(wanted({ agents: half(50) }, { maxLowPriorityNodes: 10, maxDedicatedNodes: 15 }), [10, 5]);
  assert.equal(wanted({ agents: half(50) }, { maxLowPriorityNodes: 0, maxDedicatedNodes: 15 }), [0, 15]);
  assert.equal(wanted({ agents: half(0) }, { minNodes: 3 }), [3, 0]);
});

agents('keeps more in office hours, from Monday to Friday', () => {
  const at = (now: string) =>
    wanted({ now: Date.parse(now), agents: half(0) }, { officeNodes: 5, minNodes: 1 })[0];
  assert.is(at('2026-03-02T05:59:00Z'), 1);
  assert.is(at('2026-03-02T06:00:00Z'), 5);
  assert.is(at('2026-03-06T17:59:00Z'), 5);
  assert.is(at('2026-03-06T18:00:00Z'), 1);
  assert.is(at('2026-03-07T12:00:00Z'), 1);
});

agents(
  'takes dedicated nodes for Spot nodes that did not come or were taken back, and gives them up again',
  () => {
    const situation = { agents: half(10), targets: { spot: 12 } };
    assert.equal(wanted({ ...situation, spot: 12 }), [12, 0]);
    assert.equal(wanted({ ...situation, spot: 5 }), [12, 7]);
    assert.equal(wanted({ ...situation, spot: 12, preempted: 3 }), [12, 3]);
    assert.equal(wanted({ ...situation, spot: 0 }, { maxDedicatedNodes: 4 }), [12, 4]);
    assert.equal(wanted({ ...situation, targets: { spot: 12, dedicated: 7 }, spot: 12 }), [12, 0]);
    assert.equal(
      wanted({ agents: half(0), targets: { spot: 12 }, spot: 0 }),
      [0, 0],
      'nobody needs them any more',
    );
  },
);

agents('takes no node away where there are few samples', () => {
  assert.equal(wanted({ agents: [], targets: { spot: 6 } }), [6, 0]);
  assert.equal(wanted({ agents: half(1, 5), targets: { spot: 6 }, spot: 6 }), [6, 0]);
});

agents.run();

const met = suite('the goals');

for (const name of ['office-day', 'release-storm'] as const) {
  met(`hold on the ${name}, and on five others of its kind in the middle`, () => {
    const committed = compare(name, oneAgentANode, capped(100));
    const all = [
      committed,
      ...Array.from({ length: 5 }, (_, seed) => compare(name, oneAgentANode, capped(100), seed + 1)),
    ];
    const [first, ...others] = all.map(({ ours, article }) => ratios(ours, article));
    assert.ok(first && first.p95 <= goals.p95 && first.nodeHours <= goals.nodeHours, JSON.stringify(first));
    for (const figure of ['p95', 'nodeHours'] as const) {
      const sorted = others.map(each => each[figure]).toSorted((one, other) => one - other);
      assert.ok((sorted[2] ?? 1) <= goals[figure], `${figure}: ${sorted.join(' ')}`);
    }
    for (const { ours, article } of all) {
      assert.is(ours.unserved + article.unserved, 0);
      assert.is(ours.failedEvaluations, 0);
    }
  });
}

met('a week of ten thousand agents a day loses nobody, and waits little', async () => {
  const file = 'infra/autoscale/traces/year.yaml';
  const recipe = readRecipe(file, await readFile(join(root, file), 'utf8'), 5);
  assert.is(recipe.days, 365);
  const week = generateTrace('a week', { ...recipe, days: 7 });
  assert.ok(Math.abs(week.at.length / 7 - 10_000) < 300, `${week.at.length / 7} a day`);
  const outcome = simulate(week, committedFormula('agents', capped(100)), fiveAgentsANode);
  assert.is(outcome.requests, week.at.length);
  assert.is(outcome.unserved, 0);
  assert.ok(outcome.waitMinutes.p95 < 5, `${outcome.waitMinutes.p95} min`);
});

met.run();
