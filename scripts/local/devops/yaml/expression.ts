/** A template expression, the text between `${{` and `}}`, as a tree. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly key: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

const token = /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)*)|([A-Za-z_][\w-]*)|([.,()[\]]))/y;

/** @throws {Error} a sentence, when the text is no expression. */
export function parseExpression(text: string): Expression {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = (): string | undefined => tokens[next];
  const take = (): string => {
    const taken = tokens[next];
    if (taken === undefined) throw new Error(`"${text.trim()}" ends too early`);
    next += 1;
    return taken;
  };
  const expect = (wanted: string): void => {
    const found = take();
    if (found !== wanted) throw new Error(`"${text.trim()}" has ${found} where ${wanted} belongs`);
  };

  function expression(): Expression {
    let result = primary(take());
    for (;;) {
      if (peek() === '.') {
        take();
        result = { kind: 'member', of: result, key: { kind: 'literal', value: take() } };
      } else if (peek() === '[') {
        take();
        const key = expression();
        expect(']');
        result = { kind: 'member', of: result, key };
      } else return result;
    }
  }

  function primary(first: string): Expression {
    if (first.startsWith("'")) {
      return { kind: 'literal', value: first.slice(1, -1).replaceAll("''", "'") };
    }
    if (/^-?\d/.test(first)) {
      // More than one dot: a version, which is compared as a text.
      const value = Number(first);
      return { kind: 'literal', value: Number.isNaN(value) ? first : value };
    }
    if (!/^[A-Za-z_]/.test(first)) throw new Error(`"${text.trim()}" has ${first} where a value belongs`);
    if (peek() === '(') return { kind: 'call', name: first, args: argumentsOf() };
    const word = first.toLowerCase();
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    return word === 'null' ? { kind: 'literal', value: null } : { kind: 'name', name: first };
  }

  function argumentsOf(): Expression[] {
    expect('(');
    const args: Expression[] = [];
    if (peek() === ')') {
      take();
      return args;
    }
    for (;;) {
      args.push(expression());
      const after = take();
      if (after === ')') return args;
      if (after !== ',') throw new Error(`"${text.trim()}" has ${after} where , or ) belongs`);
    }
  }

  const result = expression();
  const rest = peek();
  if (rest !== undefined) throw new Error(`"${text.trim()}" goes on with ${rest} after its end`);
  return result;
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  while (text.slice(end).trim() !== '') {
    token.lastIndex = end;
    const match = token.exec(text);
    if (!match) throw new Error(`"${text.trim()}" is not an expression: see "${text.slice(end).trim()}"`);
    tokens.push(match[0].trim());
    end = token.lastIndex;
  }
  return tokens;
}
