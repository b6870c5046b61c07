import { type Expression, parseExpression } from './expression.js';
import { callFunction, isTrue } from './functions.js';
import { type Entry, entryOf, type Node, type Place, scalar, textOf } from './node.js';
import type { Problems } from './problems.js';

/** What names in template expressions stand for: `parameters`, and the variable of each `each` around. */
export type Scope = Readonly<Record<string, Node>>;

type Directive =
  | { readonly kind: 'if' | 'elseif'; readonly test: string }
  | { readonly kind: 'else' }
  | { readonly kind: 'each'; readonly name: string; readonly of: string };

/** Whether a branch of the conditions that belong together was taken; undefined: there are none. */
type Taken = boolean | undefined;

const wholeDirective = /^\$\{\{\s*(.*?)\s*\}\}$/s;

/** Replaces the template expressions of a part of a pipeline, as the service does before a run begins. */
export function expandTemplate(node: Node, scope: Scope, problems: Problems): Node {
  problems.countPart(node.at);
  if (node.kind === 'scalar') return typeof node.value === 'string' ? expandText(node.value, node.at) : node;
  if (node.kind === 'list') return { ...node, items: listItems(node.items) };
  return { ...node, entries: mapEntries(node.entries) };

  function mapEntries(entries: readonly Entry[]): readonly Entry[] {
    let taken: Taken;
    return entries.flatMap(entry => {
      const directive = directiveOf(entry);
      if (!directive) {
        taken = undefined;
        const key = expandText(entry.key, entry.at);
        return [
          { ...entry, key: key.kind === 'scalar' ? textOf(key) : entry.key, value: inner(entry.value) },
        ];
      }
      const outcome = branch(directive, entry, taken);
      taken = outcome.taken;
      return outcome.results.flatMap(result => {
        if (result.kind === 'map') return result.entries;
        problems.add(entry.value.at, `what follows ${entry.key} must be keys and values here`);
        return [];
      });
    });
  }

  function listItems(items: readonly Node[]): readonly Node[] {
    let taken: Taken;
    return items.flatMap(item => {
      const [entry, second] = item.kind === 'map' ? item.entries : [];
      const directive = entry && !second ? directiveOf(entry) : undefined;
      if (!entry || !directive) {
        taken = undefined;
        const result = inner(item);
        // An expression that stands for a list puts its items into the list around it.
        return item.kind === 'scalar' && result.kind === 'list' ? result.items : [result];
      }
      const outcome = branch(directive, entry, taken);
      taken = outcome.taken;
      return outcome.results.flatMap(result => (result.kind === 'list' ? result.items : [result]));
    });
  }

  function inner(part: Node, more: Scope = {}): Node {
    return expandTemplate(part, { ...scope, ...more }, problems);
  }

  function branch(
    directive: Directive,
    { key, at, value }: Entry,
    taken: Taken,
  ): { readonly taken: Taken; readonly results: readonly Node[] } {
    if (directive.kind === 'each') {
      return {
        taken: undefined,
        results: partsOf(evaluate(directive.of, at), at).map(part =>
          inner(value, { [directive.name]: part }),
        ),
      };
    }
    if (directive.kind !== 'if' && taken === undefined) {
      problems.add(at, `${key} follows no if`);
      return { taken: undefined, results: [] };
    }
    const before = directive.kind === 'if' ? false : taken === true;
    const holds = !before && (directive.kind === 'else' || isTrue(evaluate(directive.test, at)));
    return { taken: before || holds, results: holds ? [inner(value)] : [] };
  }

  function directiveOf({ key, at }: Entry): Directive | undefined {
    const body = wholeDirective.exec(key)?.[1];
    if (body === undefined) return undefined;
    const [word = ''] = body.split(/[\s(]/, 1);
    const rest = body.slice(word.length).trim();
    if (word === 'else') return { kind: 'else' };
    if (word === 'if' || word === 'elseif') return { kind: word, test: rest };
    if (word === 'each') {
      const each = /^([A-Za-z_]\w*)\s+in\s+(.+)$/s.exec(rest);
      if (each) return { kind: 'each', name: each[1] ?? '', of: each[2] ?? '' };
      problems.add(at, `${key} must be \${{ each NAME in LIST }}`);
      return { kind: 'each', name: '_', of: 'null' };
    }
    if (word === 'insert') {
      problems.add(at, '${{ insert }} is not played here');
      return { kind: 'each', name: '_', of: 'null' };
    }
    return undefined;
  }

  function expandText(text: string, at: Place): Node {
    const parts = splitText(text);
    const [only, second] = parts;
    if (!second && only?.isExpression) return atPlace(evaluate(only.text, at), at);
    return scalar(
      parts
        .map(part => {
          if (!part.isExpression) return part.text;
          const value = evaluate(part.text, at);
          if (value.kind === 'scalar') return textOf(value);
          problems.add(at, `\${{ ${part.text.trim()} }} is a list or an object, and stands within a text`);
          return '';
        })
        .join(''),
      at,
    );
  }

  function partsOf(whole: Node, at: Place): readonly Node[] {
    if (whole.kind === 'list') return whole.items;
    if (whole.kind === 'map') {
      return whole.entries.map(({ key, value, at: place }) => ({
        kind: 'map',
        at: place,
        entries: [
          { key: 'key', at: place, value: scalar(key, place) },
          { key: 'value', at: place, value },
        ],
      }));
    }
    if (textOf(whole) !== '') problems.add(at, 'each needs a list or an object');
    return [];
  }

  function evaluate(text: string, at: Place): Node {
    try {
      return valueOf(parseExpression(text), at);
    } catch (error) {
      problems.add(at, error instanceof Error ? error.message : String(error));
      return scalar(null, at);
    }
  }

  function valueOf(expression: Expression, at: Place): Node {
    switch (expression.kind) {
      case 'literal':
        return scalar(expression.value, at);
      case 'call':
        return callFunction(
          expression.name,
          expression.args.map(each => valueOf(each, at)),
          at,
        );
      case 'name': {
        const found = Object.hasOwn(scope, expression.name) ? scope[expression.name] : undefined;
        if (found) return found;
        const known = Object.keys(scope).join(', ');
        throw new Error(`${expression.name} is not known in a template expression here, which has: ${known}`);
      }
      case 'member':
        return memberOf(expression, at);
    }
  }

  function memberOf(expression: Extract<Expression, { kind: 'member' }>, at: Place): Node {
    const owner = valueOf(expression.of, at);
    const key = valueOf(expression.key, at);
    const name = key.kind === 'scalar' ? textOf(key) : '';
    if (owner.kind === 'list') return owner.items[Number(name)] ?? scalar(null, at);
    const found = owner.kind === 'map' ? entryOf(owner, name) : undefined;
    // A misspelt parameter would else be an empty text, as it is in the service, and nobody would see.
    const isParameter = expression.of.kind === 'name' && expression.of.name === 'parameters';
    if (!found && isParameter) throw new Error(`there is no parameter ${name}`);
    return found?.value ?? scalar(null, at);
  }
}

/** A text from elsewhere is at the place where it is used; a list or an object remembers its own. */
const atPlace = (node: Node, at: Place): Node => (node.kind === 'scalar' ? { ...node, at } : node);

interface Part {
  readonly text: string;
  readonly isExpression: boolean;
}

const expressionPart = /\$\{\{((?:'(?:[^']|'')*'|[^'])*?)\}\}/g;

function splitText(text: string): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(expressionPart)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), isExpression: false });
    parts.push({ text: match[1] ?? '', isExpression: true });
    end = match.index + match[0].length;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), isExpression: false });
  return parts;
}
