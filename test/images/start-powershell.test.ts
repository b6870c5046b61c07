import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Language, type Node, Parser } from 'web-tree-sitter';
import { exitCode } from '../../scripts/local/agent/exit.js';
import { root } from '../../scripts/root.js';

const test = suite('start.ps1');

const images = join(root, 'infra', 'images');
const windows = await readFile(join(images, 'windows', 'start.ps1'), 'utf8');
const linux = await readFile(join(images, 'linux', 'start.sh'), 'utf8');

const grammar = fileURLToPath(import.meta.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm'));
// Else V8 optimises the grammar for four seconds, to parse a few pages.
setFlagsFromString('--liftoff-only');
await Parser.init();
const parser = new Parser().setLanguage(await Language.load(grammar));

/** Where PowerShell would not understand it: `line: text`. */
function syntaxErrors(text: string): readonly string[] {
  const tree = parser.parse(text);
  const errors: string[] = [];
  const visit = (node: Node): void => {
    if (node.isError || node.isMissing) {
      errors.push(`${node.startPosition.row + 1}: ${node.text.split('\n', 1)[0]}`);
      return;
    }
    if (node.hasError) for (const child of node.children) if (child) visit(child);
  };
  if (tree) visit(tree.rootNode);
  return tree ? errors : ['it was not parsed'];
}

test('is PowerShell', () => {
  assert.equal(syntaxErrors(windows), []);
});

test('would not pass with an error of syntax', () => {
  for (const [right, wrong] of [
    ['function Complain([string] $Line) {', 'function Complain([string] $Line {'],
    ['    finally { $client.Dispose() }', '    finally { $client.Dispose( }'],
    ["Read-Variable 'AZDO_POOL'", "Read-Variable 'AZDO_POOL"],
  ] as const) {
    assert.ok(windows.includes(right), right);
    assert.not.equal(syntaxErrors(windows.replace(right, wrong)), [], wrong);
  }
});

test('is ASCII: Windows PowerShell reads a file without a mark as ANSI', () => {
  for (const [index, line] of windows.split('\n').entries())
    assert.match(line, /^[\x20-\x7E]*$/, `line ${index + 1}`);
});

/** Names of the product's variables, but for what start.sh tells itself. */
const variables = (text: string): ReadonlySet<string> =>
  new Set(text.match(/\b(?:AZDO|VSO)_[A-Z_]+\b/g)?.filter(name => name !== 'AZDO_TOKEN_DESCRIPTOR'));

test('reads the variables that start.sh reads', () => {
  assert.equal(variables(windows), variables(linux));
  assert.ok(variables(linux).size > 14);
});

const loosely = (name: string): string => name.replaceAll('_', '').toLowerCase();
const codes = (text: string, pair: RegExp): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...text.matchAll(pair)].map(({ groups }) => [loosely(groups?.['name'] ?? ''), Number(groups?.['code'])]),
  );

test('ends with the exit codes that start.sh ends with, and the local agent', () => {
  const ofLinux = codes(/^readonly done=.*$/m.exec(linux)?.[0] ?? '', /(?<name>\w+)=(?<code>\d+)/g);
  const ofWindows = codes(/\$exitCode = @\{[^}]*\}/.exec(windows)?.[0] ?? '', /(?<name>\w+) = (?<code>\d+)/g);
  assert.equal(ofWindows, ofLinux);
  assert.equal(new Set(Object.values(ofLinux)), new Set(Object.values(exitCode)));
});

test('says what start.sh says', () => {
  const sentences = (text: string, quote: RegExp): readonly string[] =>
    [...text.matchAll(quote)].map(([, said = '']) =>
      said.replace(/[`\\]"/g, '"').replace(/\$\(?[\w.{}-]+\)*|\$\{[^}]*\}/g, '…'),
    );
  const known = sentences(windows, /["'](AZDO_\w+ (?:is|holds|can't)[^"']*)/g);
  for (const sentence of sentences(linux, /wrong ["'](AZDO_\w+ (?:is|holds|can't)[^"']*)/g))
    assert.ok(known.includes(sentence), sentence);
});

test.run();
