/**
 * Azure Functions routes (ASP.NET route templates) as the paths of our router.
 *
 *     items/{id:int}/{part?}   →  /api/items/:p0(^-?\d+$)  and  /api/items/:p0(^-?\d+$)/:p1
 *
 * Parameters are renamed p0, p1… because the router ends a name at characters that Azure allows in one.
 */
export interface RouterPath {
  readonly path: string;
  /** The app's parameter name by the router's. */
  readonly names: Readonly<Record<string, string>>;
}

export interface Route {
  readonly paths: readonly RouterPath[];
  /** Values of parameters that the URL may leave out. */
  readonly defaults: Readonly<Record<string, string>>;
  /** True for a path that any method of this route would serve. */
  matches(path: string): boolean;
}

const constraints: Readonly<Record<string, string>> = {
  int: String.raw`-?\d+`,
  long: String.raw`-?\d+`,
  bool: '(?:true|false|True|False)',
  alpha: '[a-zA-Z]+',
  guid: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
  decimal: String.raw`-?\d+(?:\.\d+)?`,
  double: String.raw`-?\d+(?:\.\d+)?`,
  float: String.raw`-?\d+(?:\.\d+)?`,
  required: '.+',
};

interface Parameter {
  readonly name: string;
  readonly catchAll: boolean;
  readonly optional: boolean;
  readonly fallback: string | undefined;
  readonly regex: string | undefined;
}
type Piece = { readonly literal: string } | { readonly parameter: Parameter };

/** @throws Error in words for a template that can't be served. */
export function translateRoute(prefix: string, template: string): Route {
  const segments = [...prefix.split('/'), ...template.split(/\/(?![^{]*\})/)].filter(part => part !== '');
  const pieces = segments.map(segment => parseSegment(segment, template));
  const names: Record<string, string> = {};
  const defaults: Record<string, string> = {};
  const paths: RouterPath[] = [];
  let path = '';
  let regex = '^';
  let counter = 0;

  for (const [index, segment] of pieces.entries()) {
    const [only] = segment;
    const single = segment.length === 1 && only && 'parameter' in only ? only.parameter : undefined;
    const last = index === pieces.length - 1;
    if (single?.catchAll) {
      if (!last) throw new Error(`In route "${template}" the catch-all parameter must come last.`);
      paths.push({ path: path === '' ? '/' : path, names: { ...names } });
      paths.push({ path: `${path}/*`, names: { ...names, '*': single.name } });
      if (single.fallback !== undefined) defaults[single.name] = single.fallback;
      regex += '(?:/.*)?';
      return finish(paths, defaults, regex);
    }
    const open = single && (single.optional || single.fallback !== undefined);
    if (open) {
      paths.push({ path: path === '' ? '/' : path, names: { ...names } });
      if (single.fallback !== undefined) defaults[single.name] = single.fallback;
    } else if (paths.length > 0) {
      throw new Error(`In route "${template}" what follows an optional parameter must be optional too.`);
    }
    path += '/';
    regex += open ? '(?:/' : '/';
    for (const piece of segment) {
      if ('literal' in piece) {
        path += piece.literal.replaceAll(':', '::');
        regex += piece.literal.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
        continue;
      }
      const key = `p${counter}`;
      counter += 1;
      names[key] = piece.parameter.name;
      const inner = piece.parameter.regex;
      path += inner === undefined ? `:${key}` : `:${key}(^${inner}$)`;
      regex += `(?:${inner ?? '[^/]+'})`;
    }
    if (open) regex += ')?';
  }
  paths.push({ path: path === '' ? '/' : path, names: { ...names } });
  return finish(paths, defaults, regex);
}

function finish(paths: RouterPath[], defaults: Record<string, string>, regex: string): Route {
  const compiled = new RegExp(`${regex}/?$`, 'i');
  return { paths, defaults, matches: path => compiled.test(path) };
}

function parseSegment(segment: string, template: string): Piece[] {
  const pieces: Piece[] = [];
  for (const match of segment.matchAll(/\{((?:[^{}]|\{\{|\}\})*)\}|([^{}]+)/g)) {
    const [, parameter, literal] = match;
    if (literal !== undefined) pieces.push({ literal });
    else if (parameter !== undefined)
      pieces.push({ parameter: parseParameter(parameter.replace(/([{}])\1/g, '$1'), template) });
  }
  if (
    pieces.length > 1 &&
    pieces.some(p => 'parameter' in p && (p.parameter.catchAll || p.parameter.optional))
  ) {
    throw new Error(
      `In route "${template}" an optional or catch-all parameter must be a segment of its own.`,
    );
  }
  return pieces;
}

function parseParameter(text: string, template: string): Parameter {
  const match = /^(\*{0,2})([^:=?]+)((?::[^=]*?)?)(?:=(.*?))?(\??)$/.exec(text);
  const [, stars = '', name, rules = '', fallback, optional = ''] = match ?? [];
  if (name === undefined)
    throw new Error(`Route "${template}" has a parameter that can't be read: {${text}}.`);
  const regexes = splitRules(rules).map(rule => constraintRegex(rule, template));
  return {
    name,
    catchAll: stars !== '',
    optional: optional === '?',
    fallback,
    regex: regexes.length === 0 ? undefined : regexes.length === 1 ? regexes[0] : allOf(regexes),
  };
}

/** Splits `:int:min(3)` at its colons, but not at those inside brackets. */
const splitRules = (rules: string): string[] =>
  [...rules.matchAll(/:([a-zA-Z]+(?:\(.*?\)(?=:|$))?)/g)].map(match => match[1] ?? '');

const allOf = (regexes: readonly string[]): string =>
  `${regexes
    .slice(0, -1)
    .map(regex => `(?=${regex}$)`)
    .join('')}${regexes.at(-1) ?? ''}`;

function constraintRegex(rule: string, template: string): string {
  const [, name = '', argument = ''] = /^([a-zA-Z]+)(?:\((.*)\))?$/.exec(rule) ?? [];
  const simple = constraints[name.toLowerCase()];
  if (simple !== undefined) return simple;
  const [low = '', high = low] = argument.split(',').map(part => part.trim());
  switch (name.toLowerCase()) {
    case 'length':
      return `.{${low},${high}}`;
    case 'minlength':
      return `.{${low},}`;
    case 'maxlength':
      return `.{0,${low}}`;
    case 'regex':
      return `(?:${argument.replace(/^\^|\$$/g, '')})`;
    default:
      throw new Error(`Route "${template}" uses the constraint "${rule}", which this host lacks.`);
  }
}
