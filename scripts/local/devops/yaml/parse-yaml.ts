import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseAllDocuments } from 'yaml';
import { type Entry, type Node, type Place, scalar } from './node.js';
import type { Problems } from './problems.js';

/** What the parser means where most people go wrong. */
function wordsFor(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'a key is there twice: each may be there once';
  if (code === 'TAB_AS_INDENT') return 'a tab indents this line: YAML takes spaces only';
  if (message.startsWith('Sequence item without')) return 'this is indented as nothing around it';
  if (code !== 'BLOCK_AS_IMPLICIT_KEY') return message;
  return 'a key has no place here: is it indented as its neighbours are, or does a text with ": " need quotes?';
}

/** Reads the text of a file. @returns undefined when it is no YAML that the service takes; then there are problems. */
export function parseYaml(file: string, text: string, problems: Problems): Node | undefined {
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const documents = parseAllDocuments(text, { lineCounter: lines, version: '1.2', prettyErrors: false });
  if (!Array.isArray(documents) || documents.length === 0) {
    problems.add(place(0), 'the file is empty');
    return undefined;
  }
  const [document, second] = documents;
  if (second) problems.add(place(second.range[0]), 'a second document begins: a pipeline is one');
  const wrong = document?.errors ?? [];
  for (const error of [...wrong, ...(document?.warnings ?? [])]) {
    problems.add(place(error.pos[0]), wordsFor(error.code, error.message));
  }
  const root = document?.contents;
  if (!root || wrong.length > 0) {
    if (wrong.length === 0) problems.add(place(0), 'the file is empty');
    return undefined;
  }
  return convert(root);

  function convert(node: ParsedNode | null): Node {
    const at = place(node?.range[0] ?? 0);
    if (!node) return scalar(null, at);
    if (isAlias(node) || node.anchor !== undefined) {
      problems.add(at, 'anchors and aliases are not known to Azure Pipelines');
      if (isAlias(node)) return scalar(null, at);
    }
    if (isScalar(node)) {
      if (node.type !== 'PLAIN') return scalar(String(node.value), at);
      // As it is written: a version 1.10 is not the number 1.1.
      const { source } = node;
      return scalar(source === undefined || source === '' ? null : source, at);
    }
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map(convert) };
    if (!isMap(node)) return scalar(null, at);
    const entries: Entry[] = node.items.map(({ key, value }) => {
      const name = convert(key);
      if (name.kind !== 'scalar') problems.add(name.at, 'a key must be a text');
      return {
        key: name.kind === 'scalar' ? String(name.value ?? '') : '',
        at: name.at,
        value: value ? convert(value) : scalar(null, name.at),
      };
    });
    return { kind: 'map', at, entries };
  }
}
