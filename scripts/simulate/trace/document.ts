import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type * as z from 'zod';
import { type FileProblem, InputError } from '../input-error.js';

export interface Misfit {
  readonly path: readonly PropertyKey[];
  readonly cause: string;
}

/**
 * Reads a file of YAML, or of JSON, which is YAML, too.
 *
 * @param misfits what the schema can't know
 * @throws InputError that names every place
 */
export function readDocument<T>(
  file: string,
  text: string,
  schema: z.ZodType<T>,
  misfits: (value: T) => readonly Misfit[] = () => [],
): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  if (document.errors.length > 0) {
    throw new InputError(
      document.errors.map(({ pos, message }) => ({
        ...place(pos[0]),
        cause: message.split(/ at line \d/)[0] ?? message,
      })),
    );
  }
  const problemAt = ({ path, cause }: Misfit, want: 'key' | 'value' = 'value'): FileProblem => ({
    ...place(offsetOf(document.contents, path, want)),
    cause,
  });
  const read = schema.safeParse(document.toJS());
  if (!read.success) {
    throw new InputError(
      read.error.issues.flatMap(issue => {
        const name = nameOf(issue.path);
        return issue.code === 'unrecognized_keys'
          ? issue.keys.map(key =>
              problemAt({ path: [...issue.path, key], cause: `There is no "${key}" in ${name}.` }, 'key'),
            )
          : [problemAt({ path: issue.path, cause: `${name}: ${causeOf(issue)}` })];
      }),
    );
  }
  const found = misfits(read.data);
  if (found.length > 0) {
    throw new InputError(
      found.map(misfit => problemAt({ ...misfit, cause: `${nameOf(misfit.path)}: ${misfit.cause}` })),
    );
  }
  return read.data;
}

const causeOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
    ? 'It is missing.'
    : issue.message;

const nameOf = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'The file' : `"${path.map(String).join('.')}"`;

/** Where a value stands, or the nearest thing around it that does; of an unknown key, the key. */
function offsetOf(root: Node | null, path: readonly PropertyKey[], want: 'key' | 'value'): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(item => isPair(item) && isScalar(item.key) && item.key.value === step);
      if (!pair) return offset;
      if (want === 'key' && depth === path.length - 1) return rangeOf(pair.key) ?? offset;
      node = pair.value;
    } else if (hasItems(node) && typeof step === 'number') {
      node = node.items[step];
    } else {
      return offset;
    }
    offset = rangeOf(node) ?? offset;
  }
  return offset;
}

function hasItems(node: unknown): node is { readonly items: readonly unknown[] } {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items);
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) {
    return undefined;
  }
  const first: unknown = node.range[0];
  return typeof first === 'number' ? first : undefined;
}
