import { parseSync, visitorKeys } from 'oxc-parser';

export interface Import {
  /** As it is written; undefined when it is computed. */
  readonly specifier: string | undefined;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** The use of something that is neither imported nor declared in the language itself, e.g. `process` or `Date.now`. */
export interface GlobalUse {
  readonly name: string;
  readonly line: number;
}

export interface Module {
  readonly imports: readonly Import[];
  readonly globals: readonly GlobalUse[];
}

/** What a module that does nothing but compute has no use for. */
const ambient = new Set([
  'Buffer',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'global',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
  'structuredClone',
]);
const ambientMembers = new Set(['Date.now', 'Math.random']);

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const literal = (value: unknown): string | undefined =>
  isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string'
    ? value['value']
    : undefined;

const identifier = (value: unknown): string | undefined =>
  isNode(value) && value.type === 'Identifier' && typeof value['name'] === 'string'
    ? value['name']
    : undefined;

/**
 * Reads what a module imports, in every way that TypeScript has, and which ambient things it uses.
 *
 * @throws when the source can't be parsed: a file that is not understood must not pass as one without imports
 */
export function readModule(path: string, source: string): Module {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path} can't be parsed: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const globals: GlobalUse[] = [];
  const lineOf = (node: Node): number => source.slice(0, node.start).split('\n').length;

  const visit = (node: Node, parent: Node | undefined, key: string): void => {
    const found = importOf(node);
    if (found) imports.push({ ...found, line: lineOf(node) });
    const name = globalOf(node, parent, key);
    if (name) globals.push({ name, line: lineOf(node) });
    for (const child of visitorKeys[node.type] ?? []) {
      const value = node[child];
      for (const item of Array.isArray(value) ? value : [value]) {
        if (isNode(item)) visit(item, node, child);
      }
    }
  };
  if (isNode(program)) visit(program, undefined, '');
  return { imports, globals };
}

function importOf(node: Node): Omit<Import, 'line'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      return { specifier: literal(node['source']), typeOnly: node['importKind'] === 'type' };
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      if (!node['source']) return undefined;
      return { specifier: literal(node['source']), typeOnly: node['exportKind'] === 'type' };
    case 'ImportExpression':
      return { specifier: literal(node['source']), typeOnly: false };
    case 'TSImportType':
      return { specifier: literal(node['source']), typeOnly: true };
    case 'TSExternalModuleReference':
      return { specifier: literal(node['expression']), typeOnly: false };
    case 'CallExpression': {
      if (identifier(node['callee']) !== 'require') return undefined;
      const [argument] = Array.isArray(node['arguments']) ? (node['arguments'] as unknown[]) : [];
      return { specifier: literal(argument), typeOnly: false };
    }
    default:
      return undefined;
  }
}

function globalOf(node: Node, parent: Node | undefined, key: string): string | undefined {
  if (node.type === 'MemberExpression') {
    const property = node['computed'] ? literal(node['property']) : identifier(node['property']);
    const name = `${identifier(node['object'])}.${property}`;
    return ambientMembers.has(name) ? name : undefined;
  }
  if (node.type === 'NewExpression' && identifier(node['callee']) === 'Date') {
    return Array.isArray(node['arguments']) && node['arguments'].length === 0 ? 'new Date()' : undefined;
  }
  if (node.type === 'CallExpression' && identifier(node['callee']) === 'Date') return 'Date()';
  const name = identifier(node);
  if (name === undefined || !ambient.has(name)) return undefined;
  // The name of a member says nothing about the ambient thing of the same name.
  const isName = (key === 'property' || key === 'key') && !parent?.['computed'];
  return isName ? undefined : name;
}
