import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { showCell } from '../../scripts/bench/report/cell.js';
import { insertIntoPage, toMarkdown } from '../../scripts/bench/report/markdown.js';
import { printResults } from '../../scripts/bench/report/print.js';
import { Results } from '../../scripts/bench/report/results.js';
import { figureTable } from '../../scripts/bench/report/table.js';
import { root } from '../../scripts/root.js';
import { madeUpFigure, madeUpResults } from './made-up.js';

const cells = suite('a cell');

for (const [cell, shown] of [
  [undefined, '–'],
  ['', '–'],
  ['ours', 'ours'],
  [0, '0'],
  [1_234, '1,234'],
  [1234.56, '1,235'],
  [12.345, '12.3'],
  [0.004567, '0.00457'],
] as const) {
  cells(`${JSON.stringify(cell)} is shown as ${shown}`, () => assert.is(showCell(cell), shown));
}

cells.run();

const terminal = suite('what is printed');

terminal('has every number, every goal and the machine', () => {
  const text = stripVTControlCharacters(printResults(madeUpResults()));
  for (const part of [
    'accepted (/s)',
    '1,235',
    '0.00457',
    'Nobody has measured this.',
    'Some CPU',
    '2 cores',
  ])
    assert.ok(text.includes(part), part);
  assert.match(text, /fast +│ 1,235\/s +│ yes/);
  assert.match(text, /cheap \| good +│ neither +│ no/);
  assert.match(text, '1 of 2 goals do not hold.');
});

terminal('names what could not be measured, and a machine that was busy', () => {
  const results = madeUpResults({ failures: [{ figure: 'burst', message: 'The app died.' }] });
  const text = stripVTControlCharacters(
    printResults({ ...results, machine: { ...results.machine, busy: true } }),
  );
  assert.match(text, 'burst: The app died.');
  assert.match(text, 'The machine was busy');
});

terminal('says that a small scale is nothing to show', () => {
  assert.match(stripVTControlCharacters(printResults(madeUpResults({ scale: 'quick' }))), 'Scale quick');
  assert.not.match(stripVTControlCharacters(printResults(madeUpResults())), 'Scale');
});

terminal('fits into 100 columns, and no word is broken', () => {
  const sentence = 'a sentence of many words that goes on and on until it is much too long for one line';
  const figure = madeUpFigure({
    columns: ['one', 'two', 'three'].map(key => ({ key, title: `the ${key} of them`, unit: 'milliseconds' })),
    rows: [{ one: sentence, two: sentence, three: 1_000_000 }],
  });
  const table = stripVTControlCharacters(figureTable(figure));
  const longest = Math.max(...table.split('\n').map(line => line.length));
  assert.ok(longest <= 100, String(longest));
  for (const word of [...sentence.split(' '), '(milliseconds)', '1,000,000'])
    assert.ok(table.includes(word), word);
});

terminal('twelve columns fit into 100 columns, too', () => {
  const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
  const figure = madeUpFigure({
    columns: keys.map(key => ({ key, title: `all of ${key}` })),
    rows: [Object.fromEntries(keys.map(key => [key, 123_456]))],
  });
  const table = stripVTControlCharacters(figureTable(figure));
  assert.ok(Math.max(...table.split('\n').map(line => line.length)) <= 100);
  assert.is(table.match(/123,456/g)?.length, 12);
});

terminal('numbers stand to the right, texts to the left', () => {
  const [, , , row = ''] = stripVTControlCharacters(figureTable(madeUpFigure())).split('\n');
  assert.is(row, '│ ours      │         1,235 │      0 │');
});

terminal.run();

const json = suite('the JSON');

json('comes back as it was written', () => {
  const results = madeUpResults();
  assert.equal(Results.parse(JSON.parse(JSON.stringify(results))), results);
});

json('of something else is refused', () => {
  assert.not(Results.safeParse({ ...madeUpResults(), version: 2 }).success);
  assert.not(Results.safeParse({ ...madeUpResults(), figures: [{ name: 'speed' }] }).success);
});

json.run();

const page = suite('the page of results');

page('shows date, machine, goals, tables and plots', () => {
  const text = toMarkdown(madeUpResults(), '.github/images');
  assert.match(text, 'Measured on 2026-01-31 in 11 min: Node.js 20.19.0, linux x64, Some CPU, 2 cores');
  assert.match(text, '| fast | 1,235/s | yes |');
  assert.match(text, String.raw`| cheap \| good | neither | **no** |`);
  assert.match(text, '| contender | accepted (/s) | errors |\n|---|---:|---:|\n| ours | 1,235 | 0 |');
  assert.match(text, '![Speed by size](.github/images/bench-speed-by-size.svg)');
});

const marked = 'before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n';

page('has a new run in place of the old one, and nothing else changed', () => {
  const once = insertIntoPage(marked, 'new');
  assert.is(once, 'before\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\nafter\n');
  assert.is(insertIntoPage(once, 'new'), once);
});

for (const [what, text] of [
  ['no marks', 'nothing'],
  ['no end', '<!-- bench:begin -->'],
  ['its marks in the wrong order', '<!-- bench:end --><!-- bench:begin -->'],
  ['its marks twice', marked + marked],
] as const) {
  page(`that has ${what} is left alone`, () => {
    assert.throws(() => insertIntoPage(text, 'new'), /once each/);
  });
}

page('has its marks, once each', async () => {
  const text = await readFile(join(root, '.github', 'docs', 'measured.md'), 'utf8');
  assert.ok(insertIntoPage(text, 'new').includes('new'));
});

page.run();
