/**
 * The expressions of Azure Resource Manager templates: `[format('{0}-pool', parameters('names')[0].text)]`.
 */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'member'; readonly of: Expression; readonly key: Expression };

export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** The expression in a text of a template, if it is one: `[[` begins a text that begins with a bracket. */
export function expressionIn(text: string): string | undefined {
  return text.startsWith('[') && !text.startsWith('[[') && text.endsWith(']') ? text.slice(1, -1) : undefined;
}

const token = /\s*(?:('(?:[^']|'')*')|(-?\d+)|([A-Za-z_][\w]*(?:\.[A-Za-z_]\w*(?=\())?)|(.))/uy;

interface Token {
  readonly text: string;
  readonly kind: 'text' | 'number' | 'name' | 'sign';
}

function tokens(source: string): Token[] {
  const found: Token[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(source); match; match = token.exec(source)) {
    const [, quoted, number, name, sign] = match;
    if (quoted !== undefined) found.push({ kind: 'text', text: quoted.slice(1, -1).replaceAll("''", "'") });
    else if (number !== undefined) found.push({ kind: 'number', text: number });
    else if (name !== undefined) found.push({ kind: 'name', text: name });
    else if (sign?.trim()) found.push({ kind: 'sign', text: sign });
  }
  return found;
}

const parsed = new Map<string, Expression>();

/** @throws ExpressionError where it is none. */
export function parseExpression(source: string): Expression {
  // A module that is used for seven endpoints, with four sets of parameters, is the same text each time.
  const known = parsed.get(source) ?? parse(source);
  parsed.set(source, known);
  return known;
}

function parse(source: string): Expression {
  const list = tokens(source);
  let next = 0;
  const fail = (wanted: string): never => {
    throw new ExpressionError(
      `${wanted} is expected ${list[next] ? `before ${list[next]?.text}` : 'at the end'} of ${source}`,
    );
  };
  const isSign = (text: string): boolean => list[next]?.kind === 'sign' && list[next]?.text === text;
  const take = (text: string): void => {
    if (!isSign(text)) fail(text);
    next += 1;
  };

  function primary(): Expression {
    const first = list[next];
    if (first === undefined || first.kind === 'sign') return fail('a value');
    next += 1;
    if (first.kind === 'text') return { kind: 'literal', value: first.text };
    if (first.kind === 'number') return { kind: 'literal', value: Number(first.text) };
    take('(');
    const args: Expression[] = [];
    while (!isSign(')')) {
      if (args.length > 0) take(',');
      args.push(expression());
    }
    take(')');
    return { kind: 'call', name: first.text, args };
  }

  function expression(): Expression {
    let value = primary();
    for (;;) {
      if (isSign('.')) {
        next += 1;
        const name = list[next];
        if (name?.kind !== 'name') return fail('the name of a property');
        next += 1;
        value = { kind: 'member', of: value, key: { kind: 'literal', value: name.text } };
      } else if (isSign('[')) {
        next += 1;
        value = { kind: 'member', of: value, key: expression() };
        take(']');
      } else return value;
    }
  }

  const result = expression();
  if (next < list.length) fail('the end');
  return result;
}
