import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { framesOf } from '../../../scripts/recording/frames.js';
import { selfContained, styledText } from '../../../scripts/recording/styled-text.js';
import { toSvg } from '../../../scripts/recording/svg.js';

const escape = '\u001b';
const pace = { rows: 4, totalMs: 10_000, lastMs: 2_000 };
const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const lengthOf = (frames: readonly { forMs: number }[]): number =>
  Math.round(frames.reduce((sum, { forMs }) => sum + forMs, 0));

const text = suite('styledText');

text('knows where each piece stands and how it looks', () => {
  assert.equal(
    styledText(`  ${escape}[1m$ go${escape}[0m ${escape}[2m${escape}[36mblue …${escape}[39m dim${escape}[0m`),
    [
      { text: '$ go', column: 2, colour: undefined, bold: true, dim: false },
      { text: 'blue …', column: 7, colour: 6, bold: false, dim: true },
      { text: 'dim', column: 14, colour: undefined, bold: false, dim: true },
    ],
  );
});

text('takes bright colours, and no other numbers for colours', () => {
  const [bright, other] = styledText(`${escape}[91mred${escape}[0m ${escape}[38;5;31mother`);
  assert.is(bright?.colour, 9);
  assert.is(other?.colour, undefined);
});

text('shows nothing of spaces', () => {
  assert.equal(styledText(`  ${escape}[1m   ${escape}[0m `), []);
});

text('tells looks that last over the end of a line in each line', () => {
  const [first = '', second = '', third = ''] = selfContained([
    `${escape}[1mone`,
    `two${escape}[0m`,
    'three',
  ]);
  assert.is(styledText(first)[0]?.bold, true);
  assert.is(styledText(second)[0]?.bold, true);
  assert.is(third, 'three');
});

text.run();

const film = suite('framesOf');

film('lasts as long as it is told, its last frame included', () => {
  const frames = framesOf(
    [
      { atMs: 0, lines: ['$ go'] },
      { atMs: 60_000, lines: ['$ go', 'done'] },
      { atMs: 60_001, lines: ['$ go', 'done', 'end'] },
    ],
    pace,
  );
  assert.is(lengthOf(frames), 10_000);
  assert.is(frames.at(-1)?.forMs, 2_000);
  assert.equal(frames.at(-1)?.lines, ['$ go', 'done', 'end']);
});

film('cuts waits short and lets flashes stay, in proportion', () => {
  const [wait, flash] = framesOf(
    [
      { atMs: 0, lines: ['$ go'] },
      { atMs: 60_000, lines: ['flash'] },
      { atMs: 60_001, lines: ['end'] },
    ],
    pace,
  );
  assert.ok(wait && flash && wait.forMs < 6 * flash.forMs, 'nobody could read the flash');
});

film('has one frame for what did not change', () => {
  const captures = [0, 80, 160, 240].map(atMs => ({ atMs, lines: ['same'] }));
  assert.equal(framesOf(captures, pace), [{ lines: ['same'], forMs: 10_000 }]);
});

film('shows what came at once and does not fit page by page, the last lines last', () => {
  const frames = framesOf(
    [
      { atMs: 0, lines: numbered(2) },
      { atMs: 100, lines: numbered(12) },
    ],
    pace,
  );
  const seen = new Set(frames.flatMap(({ lines }) => lines));
  assert.equal([...seen], numbered(12));
  assert.ok(frames.every(({ lines }) => lines.length <= 4));
  assert.equal(frames.at(-1)?.lines, numbered(12).slice(-4));
});

film('has nothing to show of nothing', () => {
  assert.equal(framesOf([], pace), []);
});

film.run();

const svg = suite('toSvg');

const drawn = toSvg({
  frames: [
    { lines: ['$ go <now> & then'], forMs: 1_000 },
    { lines: ['$ go <now> & then', 'done'], forMs: 3_000 },
  ],
  columns: 40,
  rows: 4,
  title: 'go "now"',
});

svg('writes each line once and uses it in each frame', () => {
  assert.is(drawn.split('&lt;now&gt; &amp; then').length - 1, 1);
  const used = [...drawn.matchAll(/<use href="#(\w+)"/g)].map(([, id]) => id);
  assert.is(used.length, 3);
  assert.equal(
    used.filter(id => !drawn.includes(`<g id="${id}">`)),
    [],
  );
});

svg('moves from frame to frame by their times', () => {
  assert.match(drawn, '@keyframes film{0%{transform:translate(0px)}25%{transform:translate(-352px)}');
  assert.match(drawn, 'animation:film 4.0s step-end infinite');
});

svg('shows the last frame to whoever wants no motion', () => {
  assert.match(drawn, '@media (prefers-reduced-motion:no-preference){.film{animation:');
  assert.match(drawn, '<g class="film" transform="translate(-352)">');
});

svg('needs nothing from elsewhere and runs nothing', () => {
  const outside = drawn.replace('xmlns="http://www.w3.org/2000/svg"', '');
  assert.not.match(outside, /https?:|<script|foreignObject|@import|url\(|\son\w+=/);
});

svg('is the same for the same film', () => {
  const frames = [{ lines: ['a'], forMs: 1 }];
  const once = { frames, columns: 20, rows: 5, title: 't' };
  assert.is(toSvg(once), toSvg(once));
});

svg.run();
