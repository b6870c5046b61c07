import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areas } from '../../scripts/checks/areas.js';
import { checkImports } from '../../scripts/checks/import-rules.js';
import { readSources, unseenAreas } from '../../scripts/checks/read-sources.js';
import { root } from '../../scripts/root.js';

const house = suite('import rules of this house');

house('are kept', async () => {
  const { violations } = checkImports(await readSources(root));
  assert.equal(violations, []);
});

house('were checked in every part that is there', async () => {
  const { seen, imports } = checkImports(await readSources(root));
  assert.equal(unseenAreas(root, seen), []);
  assert.ok((seen.get('scripts') ?? 0) > 5, 'these very scripts were not seen');
  assert.ok(imports > 50, `only ${imports} imports were seen`);
});

house('a part that is there and was not seen is told', () => {
  assert.equal(
    unseenAreas(
      root,
      new Map([
        ['local stack', 3],
        ['scripts', 3],
      ]),
    ).at(-1),
    'no file of tests (test/) was seen',
  );
});

house.run();

/** What a tree of small sources breaks; files that are only imported need no line. */
function violationsOf(files: Record<string, string>, others: readonly string[] = []): readonly string[] {
  const sources = new Map([...others.map(path => [path, ''] as const), ...Object.entries(files)]);
  return checkImports(sources).violations;
}

const others = [
  'shared/domain/names.ts',
  'shared/answers/pools.ts',
  'shared/dashboard/show-page.ts',
  'shared/workflow/contract.ts',
  'shared/workflow/agent-lifecycle.ts',
  'shared/activities/create-task.ts',
  'shared/adapters/batch.ts',
  'shared/api/problem.ts',
  'shared/openapi/document.ts',
  'shared/input/request-body.ts',
  'shared/ports.ts',
  'shared/config.ts',
  'functions/composition/ports.ts',
  'functions/index.ts',
  'scripts/local/service.ts',
  'scripts/start.ts',
  'scripts/chaos/run.ts',
  'test/support/wait-for.ts',
];

/** Place, one line of source, and what is said about it; undefined: nothing. */
const table: readonly (readonly [string, string, RegExp | undefined])[] = [
  // Every way to import is seen.
  ['shared/domain/x.ts', "import { a } from './names.js';", undefined],
  [
    'shared/domain/x.ts',
    "import { a } from '../ports.js';",
    /^shared\/domain\/x\.ts:1: domain must not import shared\/ports\.ts$/,
  ],
  ['shared/domain/x.ts', "import type { A } from '../ports.js';", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "export { a } from '../ports.js';", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "export type { A } from '../ports.js';", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "export * from '../ports.js';", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "export * as ports from '../ports.js';", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "import '../ports.js';", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "const a = await import('../ports.js');", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "type A = import('../ports.js').A;", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "import a = require('../ports.js');", /domain must not import shared\/ports/],
  ['shared/domain/x.ts', "const a = require('zod');", /domain must not import zod/],
  ['shared/domain/x.ts', 'const a = await import(name);', /must not import what only a run can tell/],
  ['shared/domain/x.ts', "import { a } from './gone.js';", /imports \.\/gone\.js, which is not there/],
  // domain
  ['shared/domain/x.ts', "import { createHash } from 'node:crypto';", /domain must not import node:crypto/],
  ['shared/domain/x.ts', "import { createHash } from 'crypto';", /domain must not import crypto/],
  ['shared/domain/x.ts', "import * as z from 'zod';", /domain must not import zod/],
  ['shared/domain/x.ts', 'export const now = () => Date.now();', /domain must not use Date\.now/],
  ['shared/domain/x.ts', "export const now = () => Date['now']();", /domain must not use Date\.now/],
  ['shared/domain/x.ts', 'export const now = () => new Date();', /domain must not use new Date\(\)/],
  ['shared/domain/x.ts', 'export const now = () => Date();', /domain must not use Date\(\)/],
  ['shared/domain/x.ts', 'export const at = (ms: number) => new Date(ms);', undefined],
  ['shared/domain/x.ts', 'export const at = (text: string) => Date.parse(text);', undefined],
  ['shared/domain/x.ts', 'export const chance = () => Math.random();', /domain must not use Math\.random/],
  ['shared/domain/x.ts', 'export const { env } = process;', /domain must not use process/],
  ['shared/domain/x.ts', 'export const env = globalThis.process.env;', /domain must not use globalThis/],
  ['shared/domain/x.ts', 'setTimeout(() => {}, 1);', /domain must not use setTimeout/],
  ['shared/domain/x.ts', "console.log('x');", /domain must not use console/],
  ['shared/domain/x.ts', 'export const f = (run: { process: string }) => run.process;', undefined],
  ['shared/domain/x.ts', 'export const step = { process: 1, console: 2 };', undefined],
  ['shared/domain/x.ts', 'export const step = { process };', /domain must not use process/],
  // workflow
  ['shared/workflow/x.ts', "import type { Task } from 'durable-functions';", undefined],
  [
    'shared/workflow/x.ts',
    "import * as df from 'durable-functions';",
    /workflow must not import durable-functions, but for its types/,
  ],
  ['shared/workflow/x.ts', "import { type Task } from 'durable-functions';", /but for its types/],
  [
    'shared/workflow/x.ts',
    "import { a } from '../domain/names.js';\nimport { b } from './contract.js';",
    undefined,
  ],
  [
    'shared/workflow/x.ts',
    "import { a } from '../activities/create-task.js';",
    /workflow must not import shared\/activities/,
  ],
  ['shared/workflow/x.ts', 'export function* f() { yield new Date(); }', /workflow must not use new Date/],
  // ports, config
  ['shared/ports.ts', "import type { A } from './workflow/contract.js';", /ports must not import/],
  ['shared/config.ts', "import * as z from 'zod';", undefined],
  ['shared/config.ts', 'export const config = process.env;', /config must not use process/],
  // activities
  [
    'shared/activities/x.ts',
    "import type { A } from '../workflow/contract.js';\nimport type { B } from '../ports.js';",
    undefined,
  ],
  ['shared/activities/x.ts', "import { a } from './create-task.js';", undefined],
  [
    'shared/activities/x.ts',
    "import { a } from '../workflow/agent-lifecycle.js';",
    /activities must not import shared\/workflow\/agent-lifecycle/,
  ],
  [
    'shared/activities/x.ts',
    "import { a } from '../adapters/batch.js';",
    /activities must not import shared\/adapters/,
  ],
  [
    'shared/activities/x.ts',
    "import { BatchServiceClient } from '@azure/batch';",
    /activities must not import @azure\/batch/,
  ],
  [
    'shared/activities/x.ts',
    "import type { BatchServiceClient } from '@azure/batch';",
    /activities must not import @azure\/batch/,
  ],
  ['shared/activities/x.ts', 'export const url = process.env.URL;', /activities must not use process/],
  // input
  ['shared/dashboard/page/x.ts', "import { render } from 'preact';", undefined],
  ['shared/dashboard/page/x.ts', "import { a } from '../../domain/names.js';", undefined],
  ['shared/dashboard/page/x.ts', "import type { Pool } from '../../answers/pools.js';", undefined],
  [
    'shared/dashboard/page/x.ts',
    "import { poolSchema } from '../../answers/pools.js';",
    /page must not import shared\/answers\/pools\.ts, but for its types/,
  ],
  ['shared/dashboard/page/x.ts', "import { join } from 'node:path';", /page must not import node:path/],
  [
    'shared/dashboard/page/x.ts',
    "import { showPage } from '../show-page.js';",
    /page must not import shared\/dashboard/,
  ],
  ['shared/input/x.ts', "import type { Config } from '../config.js';", undefined],
  ['shared/input/x.ts', "import { a } from '../api/problem.js';", /input must not import shared\/api/],
  ['shared/api/x.ts', "import { a } from '../input/request-body.js';", undefined],
  // documents
  [
    'shared/openapi/x.ts',
    "import { createDocument } from 'zod-openapi';\nimport { a } from '../answers/pools.js';",
    undefined,
  ],
  ['shared/openapi/x.ts', "import { a } from '../api/problem.js';", /must not import shared\/api/],
  ['shared/openapi/x.ts', "import { a } from '../config.js';", /documents must not import shared\/config/],
  ['shared/api/x.ts', "import { a } from '../openapi/document.js';", /must not import shared\/openapi/],
  ['shared/api/x.ts', "import { createDocument } from 'zod-openapi';", /must not import zod-openapi/],

  // adapters
  [
    'shared/adapters/x.ts',
    "import { BatchServiceClient } from '@azure/batch';\nimport { createHash } from 'node:crypto';",
    undefined,
  ],
  ['shared/ports/x.ts', "import { a } from '../domain/names.js';", undefined],
  ['shared/ports/x.ts', "import { a } from '../ports.js';", /further ports must not import shared\/ports/],
  ['shared/config/x.ts', "import * as z from 'zod';", undefined],
  ['shared/config/x.ts', 'export const url = process.env.URL;', /parts of config must not use process/],
  // What is measured has names; what measures it is an adapter.
  ['shared/telemetry/x.ts', "import type { Telemetry } from '../ports.js';", undefined],
  [
    'shared/telemetry/x.ts',
    "import { trace } from '@opentelemetry/api';",
    /telemetry must not import @opentelemetry\/api/,
  ],
  [
    'shared/telemetry/x.ts',
    "import { a } from '../adapters/batch.js';",
    /telemetry must not import shared\/adapters\/batch/,
  ],
  ['shared/adapters/x.ts', "import type { Config } from '../config.js';", undefined],
  [
    'shared/adapters/x.ts',
    "import { readConfig } from '../config.js';",
    /adapters must not import shared\/config\.ts, but for its types/,
  ],
  [
    'shared/adapters/x.ts',
    "import { a } from '../workflow/contract.js';",
    /adapters must not import shared\/workflow/,
  ],
  [
    'shared/adapters/x.ts',
    "import { a } from '../../functions/index.js';",
    /adapters must not import functions/,
  ],
  ['shared/adapters/x.ts', 'export const url = process.env.URL;', /adapters must not use process/],
  // what else is shared
  ['shared/api/x.ts', "import * as z from 'zod';\nimport { a } from '../domain/names.js';", undefined],
  [
    'shared/api/x.ts',
    "import { a } from '../adapters/batch.js';",
    /use cases must not import shared\/adapters/,
  ],
  [
    'shared/api/x.ts',
    "import { app } from '@azure/functions';",
    /use cases must not import @azure\/functions/,
  ],
  [
    'shared/dispatch/x.ts',
    "import { a } from '../api/problem.js';\nimport { b } from '../activities/create-task.js';",
    undefined,
  ],
  [
    'shared/dispatch/x.ts',
    "import { a } from '../workflow/agent-lifecycle.js';",
    /use cases must not import shared\/workflow\/agent/,
  ],
  // functions
  [
    'functions/x.ts',
    "import { app } from '@azure/functions';\nimport * as df from 'durable-functions';",
    undefined,
  ],
  [
    'functions/x.ts',
    "import { a } from './composition/ports.js';\nimport { b } from '../shared/api/problem.js';",
    undefined,
  ],
  [
    'functions/x.ts',
    "import { a } from '../shared/adapters/batch.js';",
    /functions must not import shared\/adapters/,
  ],
  [
    'functions/x.ts',
    "import type { A } from '../shared/adapters/batch.js';",
    /functions must not import shared\/adapters/,
  ],
  [
    'functions/x.ts',
    "import { QueueClient } from '@azure/storage-queue';",
    /functions must not import @azure\/storage-queue/,
  ],
  ['functions/x.ts', 'export const url = process.env.URL;', /functions must not use process/],
  ['functions/x.ts', "import { a } from '../scripts/start.js';", /functions must not import scripts/],
  [
    'functions/composition/x.ts',
    "import { a } from '../../shared/adapters/batch.js';\nimport { b } from './ports.js';\nexport const { env } = process;",
    undefined,
  ],
  [
    'functions/composition/x.ts',
    "import { a } from '../../scripts/local/service.js';",
    /composition root must not import scripts/,
  ],
  ['functions/x.ts', 'export const a = 1;\n'.repeat(1) + '//\n'.repeat(39), undefined],
  ['functions/x.ts', 'export const a = 1;\n' + '//\n'.repeat(40), /functions\/x\.ts: has 41 lines/],
  [
    'functions/composition/x.ts',
    "import { a } from '../index.js';",
    /composition root must not import functions\/index/,
  ],
  ['functions/composition/x.ts', '//\n'.repeat(90), undefined],
  // scripts and tests
  ['scripts/local/x.ts', "import { a } from './service.js';\nimport fastify from 'fastify';", undefined],
  [
    'scripts/local/x.ts',
    "import { a } from '../../shared/domain/names.js';",
    /local stack must not import shared/,
  ],
  [
    'scripts/local/x.ts',
    "import type { A } from '../../functions/index.js';",
    /local stack must not import functions/,
  ],
  [
    'shared/domain/x.ts',
    "import { a } from '../../scripts/local/service.js';",
    /domain must not import scripts/,
  ],
  [
    'scripts/chaos/x.ts',
    "import { a } from '../../shared/domain/names.js';",
    /chaos must not import shared\/domain/,
  ],
  ['scripts/chaos/x.ts', "import { a } from '../local/service.js';", undefined],
  ['scripts/x.ts', "import { a } from './chaos/run.js';", undefined],
  ['scripts/x.ts', "import { a } from '../test/support/wait-for.js';", /scripts must not import test/],
  [
    'scripts/local/x.ts',
    "import { a } from '../../test/support/wait-for.js';",
    /local stack must not import test/,
  ],
  [
    'test/x.ts',
    "import { a } from '../shared/adapters/batch.js';\nimport { b } from './support/wait-for.js';",
    undefined,
  ],
  // no word of the stand-ins in the product
  [
    'shared/adapters/x.ts',
    "export const key = 'devstoreaccount1';",
    /knows of the local stack \("devstoreaccount1"\)/,
  ],
  ['shared/adapters/x.ts', '// as Azurite does', /knows of the local stack \("azurite"\)/],
  ['functions/x.ts', '// for the local stack', /knows of the local stack/],
  ['shared/adapters/x.ts', "export const health = '/_local/calls';", /knows of the local stack/],
  [
    'shared/adapters/x.ts',
    "export const isLocal = (host: string) => host === '127.0.0.1';",
    /knows of the local stack/,
  ],
  ['shared/domain/x.ts', "export const isLoopback = (host: string) => host === '127.0.0.1';", undefined],
  ['shared/domain/x.ts', '// azurite', /knows of the local stack/],
  // no other house
  ['lib/x.ts', '', /belongs to no part of the house/],
];

const checker = suite('the checker of import rules');

for (const [path, source, expected] of table) {
  const label = source.length > 90 ? `${source.length} characters` : source.replaceAll('\n', ' ');
  checker(`${expected ? 'refuses' : 'allows'} in ${path}: ${label}`, () => {
    const violations = violationsOf({ [path]: source }, others);
    assert.is(violations.length, expected ? 1 : 0, violations.join('\n'));
    if (expected) assert.match(violations[0] ?? '', expected);
  });
}

checker('finds a cycle, through types too', () => {
  const violations = violationsOf({
    'shared/domain/a.ts': "import { b } from './b.js';",
    'shared/domain/b.ts': "import type { C } from './c.js';",
    'shared/domain/c.ts': "export * from './a.js';",
  });
  assert.equal(violations, [
    'import cycle: shared/domain/a.ts → shared/domain/b.ts → shared/domain/c.ts → shared/domain/a.ts',
  ]);
});

checker('does not take two ways to one file for a cycle', () => {
  const violations = violationsOf({
    'shared/domain/a.ts': "import './b.js'; import './c.js';",
    'shared/domain/b.ts': "import './d.js';",
    'shared/domain/c.ts': "import './d.js';",
    'shared/domain/d.ts': '',
  });
  assert.equal(violations, []);
});

checker('does not take a file that it cannot parse for one without imports', () => {
  assert.throws(() => violationsOf({ 'shared/domain/a.ts': 'import { from' }), /can't be parsed/);
});

checker('counts what it saw', () => {
  const { seen, imports } = checkImports(
    new Map([
      ['shared/domain/a.ts', "import './b.js';"],
      ['shared/domain/b.ts', ''],
      ['functions/index.ts', ''],
    ]),
  );
  assert.is(imports, 1);
  assert.equal(
    [...seen],
    [
      ['domain', 2],
      ['functions', 1],
    ],
  );
});

checker('every area is reached by some line of the table', () => {
  const reached = new Set(
    table
      .map(([path]) => path)
      .flatMap(
        path =>
          areas.find(area => (area.path.endsWith('/') ? path.startsWith(area.path) : path === area.path))
            ?.name ?? [],
      ),
  );
  assert.equal(
    areas.map(area => area.name).filter(name => !reached.has(name)),
    [],
  );
});

checker.run();
