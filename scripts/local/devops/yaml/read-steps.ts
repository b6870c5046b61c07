import type { AgentWork, ServerWork, Shell } from '../rows.js';
import { asMap, Fields } from './fields.js';
import { type ListNode, type MapNode, textOf } from './node.js';
import { readServerTask } from './read-tasks.js';
import { itemsOf, type Reading } from './templates.js';

const shells: Readonly<Record<string, { readonly shell: Shell; readonly title: string }>> = {
  script: { shell: 'default', title: 'CmdLine' },
  bash: { shell: 'bash', title: 'Bash' },
  pwsh: { shell: 'pwsh', title: 'PowerShell' },
  powershell: { shell: 'pwsh', title: 'PowerShell' },
};

const stepsRunInOrder = 'steps run one after the other until one fails';
const notPlayed = {
  condition: stepsRunInOrder,
  continueOnError: stepsRunInOrder,
  enabled: 'leave the step out with ${{ if }}',
  timeoutInMinutes: 'give it to the job',
  retryCountOnTaskFailure: stepsRunInOrder,
  failOnStderr: 'a step fails by its exit code',
  workingDirectory: 'use cd',
  name: 'outputs of steps are not known here',
  target: 'steps run where the agent runs',
};

/** The one task of a server job. */
export function readServerSteps(
  steps: ListNode,
  reading: Reading,
): Pick<ServerWork, 'displayName' | 'task'> | undefined {
  const { problems } = reading;
  const items = itemsOf(steps.items, 'steps', reading);
  const [first, second] = items;
  if (second) problems.add(second.node.at, 'a server job of more than one task is not played here');
  if (!first) {
    problems.add(steps.at, 'a server job needs a task');
    return undefined;
  }
  const map = asMap(first.node, 'a step', problems);
  if (!map) return undefined;
  const fields = new Fields(map, 'a step', problems);
  const kind = map.entries.find(({ key }) => Object.hasOwn(shells, key));
  if (kind) {
    problems.add(kind.at, `a server job has no agent that could run ${kind.key}`);
    return undefined;
  }
  const task = fields.needed('task');
  const displayName = fields.text('displayName') ?? task.replace(/@.*/, '');
  const inputs = fields.map('inputs');
  fields.end(notPlayed);
  const read =
    task === '' ? undefined : readServerTask(task, inputs, fields.node('task')?.at ?? map.at, problems);
  return read && { displayName, task: read };
}

/** The steps of a job on an agent. */
export function readAgentSteps(steps: ListNode, reading: Reading): AgentWork['steps'] {
  return itemsOf(steps.items, 'steps', reading).flatMap(({ node }) => {
    const map = asMap(node, 'a step', reading.problems);
    return map ? readStep(map, reading) : [];
  });
}

function readStep(map: MapNode, { problems }: Reading): AgentWork['steps'] {
  const checkout = map.entries.find(({ key }) => key === 'checkout');
  if (checkout) {
    const what = checkout.value.kind === 'scalar' ? textOf(checkout.value) : '';
    if (what !== 'none') {
      problems.add(checkout.at, 'nothing is checked out here: only checkout: none is played');
    }
    return [];
  }
  const kind = map.entries.find(({ key }) => Object.hasOwn(shells, key));
  const shell = kind && shells[kind.key];
  if (!kind || !shell) {
    const [first] = map.entries;
    const value = first?.value.kind === 'scalar' ? ` ${textOf(first.value)}` : '';
    problems.add(
      first?.at ?? map.at,
      `${first?.key ?? 'this'}${value} is not played as a step of a job on an agent`,
    );
    return [];
  }
  const fields = new Fields(map, 'a step', problems);
  const script = fields.needed(kind.key);
  const displayName = fields.text('displayName') || shell.title;
  const env = fields.texts('env');
  fields.end(notPlayed);
  return [{ displayName, script, shell: shell.shell, env }];
}
