import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { globSync } from 'tinyglobby';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../scripts/root.js';
import {
  causeOf,
  type FailureCode,
  failureAreas,
  failureGuides,
  guideTo,
  helpUrl,
  isFailureCode,
  remedyFor,
} from '../../shared/domain/failure-guide.js';

interface Literals {
  /** Of objects that look like a failure: they have a code, and a stage or whether to try again. */
  readonly given: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
}

/** The texts that stand in the product's sources, outside the guide itself. */
function literalsOfTheProduct(): Literals {
  const given = new Set<string>();
  const all = new Set<string>();
  const files = globSync(['shared/**/*.ts', 'functions/**/*.ts'], {
    cwd: root,
    ignore: ['shared/domain/failure-guide.ts', 'shared/domain/failure-guide/**'],
  });
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    const { program, errors } = parseSync(file, source);
    assert.equal(errors, [], file);
    new Visitor({
      Literal: ({ value }) => {
        if (typeof value === 'string') all.add(value);
      },
      ObjectExpression: ({ properties }) => {
        const values = new Map(
          properties.flatMap(each =>
            each.type === 'Property' && each.key.type === 'Identifier'
              ? [[each.key.name, source.slice(each.value.start, each.value.end)] as const]
              : [],
          ),
        );
        if (!values.has('stage') && !values.has('retryable')) return;
        // Also of a choice between two: `isQuota ? 'QuotaReached' : 'PoolResizeFailed'`.
        for (const [, code = ''] of (values.get('code') ?? '').matchAll(/'([A-Za-z0-9]+)'/g)) given.add(code);
      },
    }).visit(program);
  }
  return { given, all };
}

const guide = suite('the guide to failures');
const literals = literalsOfTheProduct();
const codes = failureGuides().map(({ code }) => code);

guide('has an entry for every code that the product gives', () => {
  assert.ok(literals.given.size > 20, 'the sources were not read as they should be');
  assert.equal(
    [...literals.given].filter(code => !isFailureCode(code)),
    [],
  );
});

guide('has no entry for a code that nobody gives any more', () => {
  assert.equal(
    codes.filter(code => !literals.all.has(code)),
    [],
  );
});

guide('tells each code once, in an area that is shown', () => {
  assert.is(new Set(codes).size, codes.length);
  for (const { area } of failureGuides()) assert.ok(failureAreas.includes(area), area);
});

for (const { code, title, cause, remedy, follows } of failureGuides()) {
  guide(`${code}: reads as sentences that a line of a log can hold`, () => {
    assert.match(code, /^[A-Z][A-Za-z0-9]{2,60}$/);
    assert.match(title, /^[A-Z].{10,60}[^.]$/);
    for (const text of [cause, remedy, follows]) assert.match(text, /^[A-Z].{10,400}\.$/);
    // One sentence that begins with a verb: it has to read well after "Ask the platform team to".
    assert.not.match(remedy, /[.!?] [A-Z]/);
    assert.not.match(remedy, /^(?:If|The|It|When|You|Your|An?|There|Please)\b/);
    assert.ok(remedy.length <= 200, `${remedy.length} characters`);
  });
}

guide('sends whoever has an unknown code on to those who can read the log', () => {
  const entry = guideTo('NeverHeardOf');
  assert.is(entry.code, 'NeverHeardOf');
  assert.match(entry.remedy, /log of the app/);
  assert.not.ok(isFailureCode('NeverHeardOf'));
  // What every object has is no code.
  assert.not.ok(isFailureCode('toString'));
  assert.is(guideTo('constructor').title, entry.title);
});

guide('takes out of a message what the remedy beside it says, and its line breaks', () => {
  const code: FailureCode = 'PoolMissing';
  const message = `Batch pool x is\n  not there. ${remedyFor(code)}`;
  assert.is(causeOf({ code, message }), 'Batch pool x is not there.');
  assert.is(causeOf({ code, message: 'Something else.' }), 'Something else.');
  assert.is(causeOf({ code: 'NeverHeardOf', message: 'As it is.' }), 'As it is.');
});

guide('is found at an address that any code fits into', () => {
  assert.is(helpUrl('https://app.example/api', 'PoolMissing'), 'https://app.example/api/help/PoolMissing');
  assert.is(helpUrl('/api', '<a/b>?c'), '/api/help/%3Ca%2Fb%3E%3Fc');
});

guide.run();
