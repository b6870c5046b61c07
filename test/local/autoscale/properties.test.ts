import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { FormulaError } from '../../../scripts/local/autoscale/formula.js';
import { parseFormula } from '../../../scripts/local/autoscale/parse.js';
import { evaluate, input, problemsOf, valueOf } from './support.js';

const properties = suite('any formula');

/** An expression, and what it is worth by JavaScript; undefined: a division by zero. */
interface Arithmetic {
  readonly text: string;
  readonly level: number;
  readonly value: number | undefined;
}

const operators: readonly (readonly [
  sign: string,
  level: number,
  (left: number, right: number) => number,
])[] = [
  ['||', 0, (left, right) => Number(left !== 0 || right !== 0)],
  ['&&', 1, (left, right) => Number(left !== 0 && right !== 0)],
  ['==', 2, (left, right) => Number(left === right)],
  ['!=', 2, (left, right) => Number(left !== right)],
  ['<', 3, (left, right) => Number(left < right)],
  ['<=', 3, (left, right) => Number(left <= right)],
  ['>', 3, (left, right) => Number(left > right)],
  ['>=', 3, (left, right) => Number(left >= right)],
  ['+', 4, (left, right) => left + right],
  ['-', 4, (left, right) => left - right],
  ['*', 5, (left, right) => left * right],
  ['/', 5, (left, right) => left / right],
];

const inBrackets = ({ text, level }: Arithmetic, least: number): string =>
  level < least ? `(${text})` : text;

function combine(
  left: Arithmetic,
  [sign, level, compute]: (typeof operators)[number],
  right: Arithmetic,
): Arithmetic {
  const text = `${inBrackets(left, level)} ${sign} ${inBrackets(right, level + 1)}`;
  const decided =
    left.value !== undefined && ((sign === '||' && left.value !== 0) || (sign === '&&' && left.value === 0));
  const undefinedRight = right.value === undefined || (sign === '/' && right.value === 0);
  if (left.value === undefined || (undefinedRight && !decided)) return { text, level, value: undefined };
  return { text, level, value: compute(left.value, right.value ?? 0) };
}

const { arithmetic } = fc.letrec<{ arithmetic: Arithmetic }>(tie => ({
  arithmetic: fc.oneof(
    { maxDepth: 6, depthSize: 'medium' },
    fc.nat(20).map(value => ({ text: String(value), level: 9, value })),
    fc
      .tuple(tie('arithmetic'), fc.constantFrom(...operators), tie('arithmetic'))
      .map(parts => combine(...parts)),
    tie('arithmetic').map(inner => ({
      text: `-${inBrackets(inner, 6)}`,
      level: 6,
      value: inner.value === undefined ? undefined : -inner.value,
    })),
  ),
}));

properties('is worth what JavaScript makes of it, with the fewest brackets', () => {
  fc.assert(
    fc.property(arithmetic, ({ text, value }) => {
      const got = valueOf(text);
      if (value === undefined) assert.match(got, /Division by zero/);
      else assert.is(got, String(value), text);
    }),
    { numRuns: 300 },
  );
});

properties('is worth the same whatever blanks and comments are in it', () => {
  const blank = fc.constantFrom(' ', '\n', '\t', '\r\n', ' /* ; " */', ' // ) ;\n');
  fc.assert(
    fc.property(arithmetic, blank, ({ text }, gap) => {
      assert.is(evaluate(`a = ${text};`).results, evaluate(`a=${text.replaceAll(' ', gap)};`).results);
    }),
    { numRuns: 100 },
  );
});

const double = fc.integer({ min: -1_000, max: 1_000 });

properties('works on vectors element by element', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(double, double), { maxLength: 30 }), double, (pairs, number) => {
      const [left, right] = [0, 1].map(side => `[${pairs.map(pair => pair[side]).join(', ')}]`);
      const list = (values: number[]): string => `[${values.join(',')}]`;
      assert.is(valueOf(`${left} + ${right}`), list(pairs.map(([one, other]) => one + other)));
      assert.is(valueOf(`${left} - ${number}`), list(pairs.map(([one]) => one - number)));
      assert.is(
        valueOf(`sum(${left} * ${right})`),
        String(pairs.reduce((sum, [one, other]) => sum + one * other, 0)),
      );
      assert.is(valueOf(`max(${left}, ${number})`), String(Math.max(number, ...pairs.map(([one]) => one))));
    }),
    { numRuns: 50 },
  );
});

const words = fc.constantFrom(
  ...'$TargetDedicatedNodes $PendingTasks . GetSample GetSamplePercent ( ) [ ] , ; = == ? : 1 0 2.5'.split(
    ' ',
  ),
  ...'"2026" " x $y max time stop TimeInterval_Minute - * / ! /* */ // && hour requeue'.split(' '),
  '$NodeDeallocationOption',
  '\n',
  ' ',
);

const soup = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(words, { maxLength: 40 }).map(parts => parts.join('')),
  fc.array(words, { maxLength: 12 }).map(parts => `$TargetDedicatedNodes = ${parts.join(' ')};`),
);

properties('is evaluated or refused with places inside it, and nothing else is thrown', () => {
  fc.assert(
    fc.property(soup, text => {
      try {
        const { error, targetDedicatedNodes = 0 } = parseFormula(text).evaluate(input());
        assert.ok(error || (Number.isInteger(targetDedicatedNodes) && targetDedicatedNodes >= 0));
      } catch (error) {
        if (!(error instanceof FormulaError)) throw error;
        assert.ok(error.problems.length > 0);
        const lines = text.split(/\r\n|[\n\r\u2028\u2029]/);
        for (const { line, column, cause } of error.problems) {
          assert.ok(line >= 1 && line <= lines.length, `${line}: ${cause}`);
          assert.ok(
            column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1,
            `${line}:${column} ${cause}`,
          );
        }
      }
    }),
    { numRuns: 1_500 },
  );
});

properties('is refused where a word is left out of a sound one, or means something still', () => {
  const parts =
    '$x = max ( $PendingTasks . GetSample ( 5 ) , 1 ) ; $TargetDedicatedNodes = $x > 2 ? 3 : 4 ;'.split(' ');
  for (const gone of parts.keys()) {
    const text = parts.filter((_, index) => index !== gone).join(' ');
    assert.type(problemsOf(text), 'string');
  }
});

properties.run();
