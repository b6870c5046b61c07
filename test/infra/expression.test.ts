import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolve } from '../../scripts/infra/template/evaluate.js';
import { parseExpression } from '../../scripts/infra/template/expression.js';
import type { Json } from '../../scripts/infra/template/json.js';
import { surroundings } from '../../scripts/infra/template/surroundings.js';

const evaluated = (text: string): Json => resolve(text, { specials: surroundings, lambda: new Map() });

const expressions = suite('expressions of templates');

const cases: readonly (readonly [string, Json])[] = [
  ['plain', 'plain'],
  ['[[not an expression]', '[not an expression]'],
  ["[format('{0}-{1:00}{{}}', 'it''s', 7)]", "it's-07{}"],
  ["[concat('a', 1, true())]", 'a1True'],
  ['[concat(createArray(1), createArray(2, 3))]', [1, 2, 3]],
  ["[if(equals(1, 2), json('broken'), 'right')]", 'right'],
  [
    "[union(createObject('a', 1, 'b', createObject('c', 2)), createObject('b', createObject('d', 3)))]",
    { a: 1, b: { c: 2, d: 3 } },
  ],
  ["[map(createArray(1, 2), lambda('n', mul(lambdaVariables('n'), 10)))]", [10, 20]],
  [
    "[toObject(createArray('a', 'b'), lambda('n', lambdaVariables('n')), lambda('n', length(lambdaVariables('n'))))]",
    { a: 1, b: 1 },
  ],
  ["[createObject('a', createArray('x', 'y')).a[1]]", 'y'],
  ["[tryGet(createObject('a', createObject()), 'a', 'b')]", null],
  ["[coalesce(null(), 'else')]", 'else'],
  ["[cidrSubnet('10.90.0.0/20', 26, 17)]", '10.90.4.64/26'],
  [
    "[resourceId('Microsoft.Batch/batchAccounts/pools', 'a', 'p')]",
    '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-agents/providers/Microsoft.Batch/batchAccounts/a/pools/p',
  ],
  ["[length(uniqueString('a'))]", 13],
];

for (const [text, value] of cases) expressions(text, () => assert.equal(evaluated(text), value));

expressions('loops make arrays of properties', () => {
  const loop = { copy: [{ name: 'all', count: 2, input: "[format('{0}', add(copyIndex('all'), 5))]" }] };
  assert.equal(resolve(loop, { specials: surroundings, lambda: new Map() }), { all: ['5', '6'] });
});

expressions('what can not be evaluated is named', () => {
  assert.throws(
    () => evaluated("[unheardOf('a')]"),
    /the function unheardOf\(\) is not known to this check in \[unheardOf/,
  );
  assert.throws(
    () => evaluated("[createObject('a', 1).b]"),
    /there is no "b" in what is asked for it; there are: a/,
  );
  assert.throws(() => parseExpression("format('a'"), /, is expected at the end of format/);
});

expressions.run();
