/**
 * The part of OData that Batch documents for `$filter`: comparisons of the entity's own properties with literals,
 * `startswith`, `and`, `or`, `not` and parentheses. What is not understood is refused, never ignored: a filter that
 * lets through too much makes its caller act on the wrong tasks.
 */

/** What a property may be compared with; an array lists the values of an enumeration. */
type PropertyType = 'string' | 'id' | 'number' | 'date' | 'boolean' | readonly string[];

/** Properties by path, e.g. `executionInfo/exitCode`. */
export type FilterableProperties = Readonly<Record<string, PropertyType>>;

export type Predicate = (entity: Readonly<Record<string, unknown>>) => boolean;

/** A filter that can't be used; the message says why. */
export class FilterError extends Error {}

type Scalar = string | number | boolean | null;

interface Token {
  readonly kind: 'word' | 'string' | 'date' | 'number' | 'paren';
  readonly text: string;
}

const tokenPattern =
  /\s*(?:(?<date>datetime'[^']*')|(?<string>'(?:[^']|'')*')|(?<number>-?\d+(?:\.\d+)?(?![\w/]))|(?<paren>[(),])|(?<word>[A-Za-z_][\w/]*))/iy;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < end) {
    const at = tokenPattern.lastIndex;
    const groups = tokenPattern.exec(text)?.groups;
    if (!groups) throw new FilterError(`can't read the filter at position ${at + 1}`);
    if (groups['date'] !== undefined) {
      tokens.push({ kind: 'date', text: groups['date'].slice('datetime'.length + 1, -1) });
    } else if (groups['string'] !== undefined) {
      tokens.push({ kind: 'string', text: groups['string'].slice(1, -1).replaceAll("''", "'") });
    } else if (groups['number'] !== undefined) tokens.push({ kind: 'number', text: groups['number'] });
    else if (groups['paren'] !== undefined) tokens.push({ kind: 'paren', text: groups['paren'] });
    else tokens.push({ kind: 'word', text: groups['word'] ?? '' });
  }
  return tokens;
}

const operators: Readonly<Record<string, (order: number) => boolean>> = {
  eq: order => order === 0,
  ne: order => order !== 0,
  gt: order => order > 0,
  ge: order => order >= 0,
  lt: order => order < 0,
  le: order => order <= 0,
};

/** @throws FilterError */
export function parseFilter(text: string, properties: FilterableProperties): Predicate {
  const tokens = tokenize(text);
  let at = 0;

  const isWord = (word: string): boolean => {
    const token = tokens[at];
    return token?.kind === 'word' && token.text.toLowerCase() === word;
  };
  const isParen = (paren: string): boolean => {
    const token = tokens[at];
    return token?.kind === 'paren' && token.text === paren;
  };
  const take = (what: string): Token => {
    const token = tokens[at];
    if (!token) throw new FilterError(`${what} is missing at the end`);
    at += 1;
    return token;
  };
  const expectParen = (paren: string): void => {
    if (!isParen(paren))
      throw new FilterError(`"${paren}" is missing before "${tokens[at]?.text ?? 'the end'}"`);
    at += 1;
  };

  const anyOf = (): Predicate => {
    const terms = [allOf()];
    while (isWord('or')) {
      at += 1;
      terms.push(allOf());
    }
    return entity => terms.some(term => term(entity));
  };
  const allOf = (): Predicate => {
    const terms = [unary()];
    while (isWord('and')) {
      at += 1;
      terms.push(unary());
    }
    return entity => terms.every(term => term(entity));
  };
  const unary = (): Predicate => {
    if (isWord('not')) {
      at += 1;
      const inner = unary();
      return entity => !inner(entity);
    }
    if (isParen('(')) {
      at += 1;
      const inner = anyOf();
      expectParen(')');
      return inner;
    }
    return isWord('startswith') ? startsWith() : comparison();
  };
  const property = (): { path: string[]; type: PropertyType; name: string } => {
    const token = take('a property');
    const type = Object.hasOwn(properties, token.text) ? properties[token.text] : undefined;
    if (token.kind !== 'word' || type === undefined) {
      throw new FilterError(`"${token.text}" is not a property that can be filtered by`);
    }
    return { path: token.text.split('/'), type, name: token.text };
  };
  const startsWith = (): Predicate => {
    at += 1;
    expectParen('(');
    const { path, type, name } = property();
    if (type !== 'string' && type !== 'id')
      throw new FilterError(`startswith needs a text, which ${name} is not`);
    expectParen(',');
    const prefix = take('a text');
    if (prefix.kind !== 'string')
      throw new FilterError(`startswith needs a text in quotes, not "${prefix.text}"`);
    expectParen(')');
    const wanted = type === 'id' ? prefix.text.toLowerCase() : prefix.text;
    return entity => {
      const value = valueAt(entity, path);
      return typeof value === 'string' && (type === 'id' ? value.toLowerCase() : value).startsWith(wanted);
    };
  };
  const comparison = (): Predicate => {
    const { path, type, name } = property();
    const operator = take('an operator');
    const holds = operator.kind === 'word' ? operators[operator.text.toLowerCase()] : undefined;
    if (!holds) throw new FilterError(`"${operator.text}" is not an operator`);
    const wanted = literal(take('a value'), type, name);
    return entity => {
      const value = comparable(valueAt(entity, path), type);
      // What is absent is equal to null only, and in no order with anything.
      if (value === null || wanted === null) return holds(value === wanted ? 0 : Number.NaN);
      return holds(value < wanted ? -1 : Number(value > wanted));
    };
  };

  const predicate = anyOf();
  const rest = tokens[at];
  if (rest) throw new FilterError(`"${rest.text}" is not expected here`);
  return predicate;
}

function literal(token: Token, type: PropertyType, name: string): Scalar {
  if (token.kind === 'word' && token.text.toLowerCase() === 'null') return null;
  const wrong = (what: string): FilterError =>
    new FilterError(`${name} is compared with ${what}, not "${token.text}"`);
  if (typeof type !== 'string') {
    const found = type.find(value => value.toLowerCase() === token.text.toLowerCase());
    if (token.kind !== 'string' || found === undefined) throw wrong(`one of ${type.join(', ')} in quotes`);
    return found;
  }
  if (type === 'number') {
    if (token.kind !== 'number') throw wrong('a number');
    return Number(token.text);
  }
  if (type === 'date') {
    const time = Date.parse(token.text);
    if (token.kind !== 'date' || Number.isNaN(time))
      throw wrong("a time such as DateTime'2026-01-31T12:00:00Z'");
    return time;
  }
  if (type === 'boolean') {
    const value = token.text.toLowerCase();
    if (token.kind !== 'word' || (value !== 'true' && value !== 'false')) throw wrong('true or false');
    return value === 'true';
  }
  if (token.kind !== 'string') throw wrong('a text in quotes');
  return comparable(token.text, type);
}

function comparable(value: unknown, type: PropertyType): Scalar {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string') return null;
  if (type === 'date') return Date.parse(value);
  return type === 'id' ? value.toLowerCase() : value;
}

function valueAt(entity: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    entity,
  );
}
