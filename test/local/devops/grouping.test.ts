import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Grouping } from '../../../scripts/local/devops/grouping.js';

const grouping = suite('rows kept apart by a value');

interface Row {
  readonly name: string;
  readonly pool: number | undefined;
}
const row = (name: string, pool: number | undefined): Row => ({ name, pool });
const names = (group: readonly Row[]): string[] => group.map(({ name }) => name);

grouping('follow their rows as these come, change and go', () => {
  const byPool = new Grouping<Row>(({ pool }) => pool);
  const [a, b] = [row('a', 1), row('b', 1)];
  byPool.change('a', undefined, a);
  byPool.change('b', undefined, b);
  assert.equal(names(byPool.of(1)), ['a', 'b']);

  const renamed = row('a2', 1);
  byPool.change('a', a, renamed);
  assert.equal(names(byPool.of(1)), ['a2', 'b'], 'one that stays keeps its place');

  const moved = row('b', 2);
  byPool.change('b', b, moved);
  assert.equal([names(byPool.of(1)), names(byPool.of(2))], [['a2'], ['b']]);

  byPool.change('a', renamed, row('a', undefined));
  byPool.change('b', moved, undefined);
  assert.equal([byPool.of(1), byPool.of(2), byPool.of(3)], [[], [], []]);
});

grouping.run();
