import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { FilterError, parseFilter } from '../../../scripts/local/batch/odata-filter.js';

const filter = suite('$filter');

const properties = {
  id: 'id',
  state: ['active', 'completed'],
  displayName: 'string',
  creationTime: 'date',
  enabled: 'boolean',
  'executionInfo/exitCode': 'number',
} as const;

const task = {
  id: 'Task-1',
  state: 'completed',
  displayName: "it's",
  creationTime: '2026-01-31T12:00:00.500Z',
  enabled: true,
  executionInfo: { exitCode: 3 },
};

const cases: [text: string, matches: boolean][] = [
  ["state eq 'completed'", true],
  ["state eq 'active'", false],
  ["state ne 'active'", true],
  ["id eq 'TASK-1'", true],
  ["startswith(id, 'task-')", true],
  ["startswith(id,'other')", false],
  ["displayName eq 'it''s'", true],
  ['executionInfo/exitCode eq 3', true],
  ['executionInfo/exitCode gt 3', false],
  ['executionInfo/exitCode ge 3 and executionInfo/exitCode le 3', true],
  ['executionInfo/exitCode lt -1', false],
  ["creationTime gt DateTime'2026-01-31T12:00:00Z'", true],
  ["creationTime lt datetime'2026-01-31T12:00:00Z'", false],
  ['enabled eq true', true],
  ['displayName eq null', false],
  ['displayName ne null', true],
  ["not startswith(id,'task')", false],
  ["not (state eq 'active')", true],
  ["state eq 'active' or state eq 'completed' and id eq 'x'", false],
  ["(state eq 'active' or state eq 'completed') and id eq 'task-1'", true],
  ["state eq 'active' OR id eq 'task-1'", true],
];
for (const [text, matches] of cases) {
  filter(`${text} → ${matches}`, () => {
    assert.is(parseFilter(text, properties)(task), matches);
  });
}

filter('an absent property is in no order and equal to null only', () => {
  const waiting = { id: 'a', state: 'active' };
  const holds = (text: string): boolean => parseFilter(text, properties)(waiting);
  assert.not(holds('executionInfo/exitCode eq 0'));
  assert.not(holds('executionInfo/exitCode lt 100'));
  assert.ok(holds('executionInfo/exitCode ne 0'));
  assert.ok(holds('executionInfo/exitCode eq null'));
});

const refusedTexts: [text: string, names: string][] = [
  ["colour eq 'red'", '"colour"'],
  ["constructor eq 'x'", '"constructor"'],
  ["state like 'act'", '"like"'],
  ["state eq 'finished'", 'one of active, completed'],
  ['state eq active', 'active'],
  ["executionInfo/exitCode eq '3'", 'a number'],
  ["creationTime gt '2026-01-31'", 'DateTime'],
  ["(state eq 'active'", '")"'],
  ["state eq 'active' id", '"id"'],
  ["substringof('a', id)", '"substringof"'],
  ["state eq 'active' and", 'missing'],
  ["state eq 'act", 'position'],
  ["endswith(id,'x')", '"endswith"'],
];
for (const [text, names] of refusedTexts) {
  filter(`${text} is refused`, () => {
    assert.throws(
      () => parseFilter(text, properties),
      (error: unknown) => error instanceof FilterError && error.message.includes(names),
    );
  });
}

filter.run();
