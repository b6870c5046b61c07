import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type PipelineSource,
  type ReadPipeline,
  readPipeline,
} from '../../../scripts/local/devops/yaml/read-pipeline.js';

const reading = suite('a pipeline that is read');
const refused = suite('what a pipeline is refused for');

const read = (text: string, more: Partial<PipelineSource> = {}): ReadPipeline =>
  readPipeline({
    path: 'ci/main.yml',
    files: { 'ci/main.yml': text, ...more.files },
    parameters: more.parameters ?? {},
    variables: more.variables ?? {},
    groups: more.groups ?? {},
  });

function jobsOf(text: string, more: Partial<PipelineSource> = {}) {
  const result = read(text, more);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, undefined, 1));
  return result.pipeline.jobs;
}

function problemsOf(text: string, more: Partial<PipelineSource> = {}): readonly string[] {
  const result = read(text, more);
  return result.ok ? [] : result.problems.map(({ where, message }) => `${where}: ${message}`);
}

/** The script of the first step of the first job. */
function scriptOf(text: string, more: Partial<PipelineSource> = {}): string | undefined {
  const [job] = jobsOf(text, more);
  return job?.work.kind === 'agent' ? job.work.steps[0]?.script : undefined;
}

const oneStep = (script: string, before = ''): string => `${before}
jobs:
  - job: Build
    pool: linux
    steps:
      - script: ${script}
`;

reading('has the jobs of its file, with what Azure Pipelines takes for granted', () => {
  const jobs = jobsOf(`
trigger: none
variables:
  colour: blue
  version: 1.10
jobs:
  - job: Ask
    pool: server
    steps:
      - task: AzureFunction@1
        inputs: { function: 'https://app/api/agents', key: $(key), body: '{}' }
  - job: Build
    displayName: Build it
    dependsOn: Ask
    condition: always()
    timeoutInMinutes: 0
    variables:
      - { name: colour, value: red }
    pool:
      name: linux
      demands: AGENT_FOR -equals $(Build.BuildId)
    steps:
      - checkout: none
      - bash: make
        env: { MODE: fast }
`);
  assert.equal(jobs, [
    {
      name: 'Ask',
      displayName: 'Ask',
      dependsOn: [],
      condition: 'succeeded',
      variables: { colour: 'blue', version: '1.10' },
      timeoutMinutes: 60,
      work: {
        kind: 'server',
        displayName: 'AzureFunction',
        task: {
          kind: 'function',
          function: 'https://app/api/agents',
          key: '$(key)',
          method: 'POST',
          queryParameters: '',
          body: '{}',
          waitForCompletion: false,
        },
      },
    },
    {
      name: 'Build',
      displayName: 'Build it',
      dependsOn: ['Ask'],
      condition: 'always',
      variables: { colour: 'red', version: '1.10' },
      timeoutMinutes: 4320,
      work: {
        kind: 'agent',
        pool: 'linux',
        demands: ['AGENT_FOR -equals $(Build.BuildId)'],
        steps: [{ displayName: 'Bash', script: 'make', shell: 'bash', env: { MODE: 'fast' } }],
      },
    },
  ]);
});

reading('has the variables of groups and of the run; secret ones apart', () => {
  const result = read(oneStep('go', 'variables:\n  - group: lib\n  - { name: mine, value: 1 }'), {
    groups: {
      lib: { url: { value: 'http://app', isSecret: false }, key: { value: 'hidden', isSecret: true } },
    },
    variables: { mine: { value: '2', isSecret: false } },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  assert.equal(result.pipeline.jobs[0]?.variables, { url: 'http://app', mine: '2' });
  assert.equal(result.pipeline.secretVariables, { key: 'hidden' });
});

const values: ReadonlyArray<readonly [expression: string, text: string]> = [
  ["eq('a', 'A')", 'True'],
  ["ne(parameters.n, '3')", 'False'],
  ['and(true, parameters.yes)', 'True'],
  ["or(false, '')", 'False'],
  ['not(parameters.yes)', 'False'],
  ["in('b', 'a', 'b')", 'True'],
  ["contains('Azure', 'zur')", 'True'],
  ["format('{0}-{1} {{x}}', parameters.text, 2)", "it's-2 {x}"],
  ["join('+', parameters.list)", 'a+b'],
  ["coalesce('', parameters.empty, 'last')", 'last'],
  ["upper(lower('aB'))", 'AB'],
  ['length(parameters.list)', '2'],
  ["and(startsWith('Refs/heads', 'refs/'), endsWith('a.YML', '.yml'))", 'True'],
  ["replace(trim(' a-b-c '), '-', '$&')", 'a$&b$&c'],
  ["and(gt(parameters.n, 2), ge(parameters.n, '3'), lt(parameters.n, 10), le('a', 'B'))", 'True'],
  ["notIn('b', 'a', 'c')", 'True'],
  ["parameters['object'].inner.key", 'deep'],
  ['parameters.list[1]', 'b'],
  ['parameters.object.missing', ''],
  ["'}} it''s'", "}} it's"],
  ['convertToJson(parameters.list)', '[\n  "a",\n  "b"\n]'],
];

const declared = `
parameters:
  - { name: n, type: number, default: 3 }
  - { name: yes, type: boolean, default: true }
  - { name: text, default: it's }
  - { name: empty, default: '' }
  - { name: list, type: object, default: [a, b] }
  - { name: object, type: object, default: { inner: { key: deep } } }
`;

reading('has its template expressions replaced', () => {
  for (const [expression, text] of values) {
    assert.is(scriptOf(oneStep(`|\n          <\${{ ${expression} }}>`, declared)), `<${text}>\n`, expression);
  }
});

reading('takes the branches and rounds of if, elseif, else and each', () => {
  const text = (kind: string): string => `
parameters:
  - { name: kind, default: ${kind} }
  - name: parts
    type: object
    default: { One: 1, Two: 2 }
jobs:
  - \${{ each part in parameters.parts }}:
      - job: \${{ part.key }}
        pool: linux
        \${{ if eq(parameters.kind, 'chain') }}:
          dependsOn: Last
        steps:
          - \${{ if eq(parameters.kind, 'a') }}:
              - script: first \${{ part.value }}
          - \${{ elseif eq(parameters.kind, 'b') }}:
              - script: second \${{ part.value }}
          - \${{ else }}:
              - script: other
  - job: Last
    pool: linux
    steps: []
`;
  const scripts = (kind: string): unknown =>
    jobsOf(text(kind)).map(({ work }) => work.kind === 'agent' && work.steps.map(({ script }) => script));
  assert.equal(scripts('a'), [['first 1'], ['first 2'], []]);
  assert.equal(scripts('b'), [['second 1'], ['second 2'], []]);
  assert.equal(scripts('c'), [['other'], ['other'], []]);
  assert.equal(
    jobsOf(text('chain')).map(({ dependsOn }) => dependsOn),
    [['Last'], ['Last'], []],
  );
});

reading('has the jobs and steps of its templates, with what they are given', () => {
  const [job] = jobsOf(
    `
jobs:
  - template: parts/job.yml
    parameters:
      name: Build
      more:
        - script: mine
`,
    {
      files: {
        'ci/parts/job.yml': `
parameters:
  - { name: name, type: string }
  - { name: more, type: stepList, default: [] }
jobs:
  - job: \${{ parameters.name }}
    pool: linux
    steps:
      - template: /common/steps.yml
      - \${{ parameters.more }}
`,
        'common/steps.yml': 'steps:\n  - script: common\n',
      },
    },
  );
  assert.is(job?.name, 'Build');
  const scripts = job?.work.kind === 'agent' ? job.work.steps.map(({ script }) => script) : [];
  assert.equal(scripts, ['common', 'mine']);
});

const refusals: ReadonlyArray<readonly [text: string, ...problems: string[]]> = [
  ['', '1:1: the file is empty'],
  ['- a', '1:1: a pipeline must be keys and values'],
  ['jobs: [', '1:8: '],
  ['jobs: []\n---\njobs: []', '2:1: a second document begins'],
  ['jobs: &a []\ntrigger: *a', '1:10: anchors and aliases', '2:10: anchors and aliases'],
  ['trigger: none', '1:1: a pipeline needs jobs'],
  ['trigger: [main]\njobs: []', '1:10: trigger is not played here'],
  ['stages: []', '1:1: stages of a pipeline is not played here'],
  ['resources: {}\njobs: []\nfoo: 1', '1:1: resources of', '3:1: foo is not known as a key of a pipeline'],
  ['jobs:\n  - deployment: x', '2:5: deployment of a pipeline is not played'],
  [
    'jobs:\n  - job: a b\n    strategy: { matrix: {} }\n    pool: { vmImage: ubuntu-latest }\n    steps: []',
    '2:10: a b is no name of a job',
    '3:5: strategy of a job is not played here: write a job for each with ${{ each }}',
    '4:11: a pool needs name',
    '4:13: vmImage of a pool is not played',
  ],
  ['jobs:\n  - job: A', '2:5: the job A needs pool', '2:5: the job A needs steps'],
  [
    'jobs:\n  - job: A\n    pool: server\n    steps:\n      - task: Delay@1\n        inputs: {}',
    '5:15: the task Delay@1 is not played in a server job',
  ],
  ['jobs:\n  - job: A\n    pool: server\n    steps:\n      - script: x', '5:9: a server job has no agent'],
  ['jobs:\n  - job: A\n    pool: server\n    steps: []', '4:12: a server job needs a task'],
  [
    'jobs:\n  - job: A\n    pool: p\n    steps:\n      - task: UseNode@1\n      - checkout: self\n      - script: x\n        condition: always()\n        timeout: 1',
    '5:9: task UseNode@1 is not played as a step',
    '6:9: nothing is checked out here',
    '8:9: condition of a step is not played',
    '9:9: timeout is not known as a key of a step',
  ],
  [
    "jobs:\n  - job: A\n    condition: eq(1, 1)\n    timeoutInMinutes: soon\n    dependsOn: B\n    pool: { name: p, demands: [A -like b, 'C -equals $(mine)'] }\n    steps: []",
    '3:16: the condition eq(1, 1) is not played here',
    '4:23: timeoutInMinutes of a job must be a number of minutes',
    '2:5: the job A depends on B, which is not there',
    '6:32: "A -like b" is not a demand',
    '6:43: $(mine) is no predefined variable',
  ],
  [
    'jobs:\n  - { job: A, pool: p, steps: [], dependsOn: B }\n  - { job: B, pool: p, steps: [], dependsOn: A }\n  - { job: B, pool: p, steps: [] }',
    '2:5: the job A waits for itself',
    '4:5: there are two jobs B',
  ],
  [
    `jobs:\n  - job: A\n    pool: server\n    steps:\n      - task: AzureFunction@1\n        inputs: { function: 'https://a/?x=1', body: '${'x'.repeat(2001)}', headers: '[]', waitForCompletion: maybe, colour: red }`,
    '6:29: function must have no query',
    '6:17: the inputs of AzureFunction@1 needs key',
    'body has 2001 characters: the task takes at most 2000',
    'headers must be a JSON object of texts',
    'waitForCompletion of the inputs of AzureFunction@1 must be true or false',
    'colour is not known as a key of the inputs of AzureFunction@1',
  ],
  [
    'jobs:\n  - job: A\n    pool: server\n    steps:\n      - task: PublishToAzureServiceBus@2\n        inputs:\n          azureSubscription: s\n          waitForCompletion: true\n          signPayload: true',
    '7:11: the inputs of PublishToAzureServiceBus@2 needs serviceBusNamespace',
    '8:30: nobody completes the task of a message',
    '7:11: useDataContractSerializer must be false',
    '7:11: the task needs messageBody',
    '9:11: signPayload of',
  ],
  [
    'variables:\n  - group: lib\n  - template: v.yml\n  - { name: x, value: [] }\njobs: []',
    '2:5: the variable group lib is not there',
    '3:5: variables of a template are not played',
    '4:23: the variable x must be a text',
  ],
  [
    oneStep('${{ runtime(1) }} ${{ variables.x }} ${{ 1 + }} ${{ parameters.y }} ${{ eq(1) }}').trim(),
    '5:17: the function runtime is not played here',
    '5:17: variables is not known in a template expression here',
    '5:17: "1 +" is not an expression',
    '5:17: there is no parameter y',
    '5:17: the function eq takes 2 arguments, and is given 1',
  ],
  [
    'parameters:\n  - { name: n, type: number, default: x }\n  - { name: e, values: [a], default: b }\n  - { name: s, type: stage, default: {} }\n  - { name: need }\njobs:\n  - ${{ else }}: []\n  - ${{ insert }}: {}\n  - ${{ each x }}: []',
    '2:39: the parameter n must be a number',
    '3:38: the parameter e must be one of: a',
    '4:22: parameters of type stage are not played here',
    '1:1: the parameter need is needed',
    '7:5: ${{ else }} follows no if',
    '8:5: ${{ insert }} is not played here',
    '9:5: ${{ each x }} must be ${{ each NAME in LIST }}',
  ],
  [
    'jobs:\n  - template: gone.yml\n  - template: a.yml@other\n  - template: main.yml',
    '2:15: the template gone.yml is not there: it would be ci/gone.yml',
    '3:15: a.yml@other is in another repository',
    '4:15: the template main.yml is included within itself',
  ],
  [
    'jobs:\n  - template: ../../etc/passwd\n  - template: /../secrets.yml',
    '2:15: the template ../../etc/passwd would be outside of the repository',
    '3:15: the template /../secrets.yml would be outside of the repository',
  ],
  ['jobs:\n  - job: A\n    pool: p\n    pool: q\n    steps: []', '4:5: a key is there twice'],
  ['jobs:\n\t- job: A', '2:1: a tab indents this line'],
  ['jobs:\n  - job: A\n   pool: p', 'this is indented as nothing around it'],
  ['jobs:\n  - job: A\n    displayName: a: b', 'does a text with ": " need quotes?'],
  [
    `parameters:\n  - { name: l, type: object, default: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }\njobs:\n${Array.from({ length: 9 }, (_, deep) => `${'  '.repeat(deep)}- \${{ each x${deep} in parameters.l }}:\n`).join('')}${'  '.repeat(9)}- job: A`,
    'the pipeline is too large',
  ],
  [
    `jobs:${Array.from({ length: 501 }, (_, each) => `\n  - { job: J${each}, pool: p, steps: [] }`).join('')}`,
    '1:1: 501 jobs are too many',
  ],
];

refused('is told by name and place, all at once', () => {
  for (const [text, ...expected] of refusals) {
    const problems = problemsOf(text);
    for (const each of expected) {
      const found = problems.some(
        problem => problem.includes(each) && (!/^\d/.test(each) || problem.startsWith(`ci/main.yml:${each}`)),
      );
      assert.ok(found, `${text}\nhas no "${each}" among\n${problems.join('\n')}`);
    }
    assert.is(problems.length >= expected.length, true, problems.join('\n'));
  }
});

refused('in a template is told in the template, and a wrong parameter where it is given', () => {
  const files = {
    'ci/t.yml': 'parameters:\n  - { name: a, type: boolean }\njobs:\n  - job: J\n    colour: red\n',
  };
  const problems = problemsOf('jobs:\n  - template: t.yml\n    parameters: { a: perhaps, b: 1 }', { files });
  assert.equal(problems.toSorted(), [
    'ci/main.yml:3:22: the parameter a must be true or false',
    'ci/main.yml:3:31: there is no parameter b: there is a',
    'ci/t.yml:4:5: the job J needs pool: server, or the name of a pool of agents',
    'ci/t.yml:4:5: the job J needs steps',
    'ci/t.yml:5:5: colour is not known as a key of a job',
  ]);
});

refused('a parameter of the run that is not there, too', () => {
  assert.match(
    problemsOf(oneStep('x'), { parameters: { colour: 'red' } }).join(),
    'there is no parameter colour',
  );
});

refused('any text at all ends in jobs or in problems with their places', () => {
  const words = [
    'jobs',
    ':',
    ' ',
    '\n',
    '- ',
    '${{',
    '}}',
    'each x in',
    '[',
    "'",
    'job',
    'steps',
    '{',
    'if',
    '&a',
  ];
  const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 4 })), { maxLength: 30 });
  fc.assert(
    fc.property(text, parts => {
      const result = read(parts.join(''));
      if (result.ok) return;
      assert.ok(result.problems.length > 0);
      for (const { where } of result.problems) assert.match(where, /^ci\/main\.yml:\d+:\d+$/);
    }),
    { numRuns: 2_000 },
  );
});

reading.run();
refused.run();
