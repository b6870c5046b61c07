import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { type JsonObject, jsonObject, objectAt, textAt } from './template/json.js';

/** What a line of a Bicep file belongs to, e.g. `Microsoft.KeyVault/vaults vault` or `parameter azDOToken`. */
export function declarationAt(text: string, line: number): string | undefined {
  const before = text.split('\n').slice(0, line + 1);
  for (const each of before.toReversed()) {
    const [, kind, symbol, type] =
      /^\s*(resource|module|param|var|output|type|func)\s+(\w+)(?:\s+'([^'@]+)[^']*'\s*=)?/.exec(each) ?? [];
    if (kind === undefined) continue;
    if (kind === 'resource') return `${type ?? 'resource'} ${symbol}`;
    return `${words[kind] ?? kind} ${symbol}`;
  }
  return undefined;
}

const words: Readonly<Record<string, string>> = { param: 'parameter', var: 'variable', func: 'function' };

/** Comments that tell the compiler to be silent. */
export const silenced = (file: string, text: string): readonly string[] =>
  text.split('\n').flatMap((line, index) => {
    const [, directive, codes] = /^\s*(#disable-\S+)\s*(.*)/.exec(line) ?? [];
    if (directive === undefined) return [];
    const owner = declarationAt(text, index + 1);
    const whose = owner === undefined ? '' : ` ${owner}:`;
    return [
      `${file}:${index + 1}:1 ${directive}:${whose} hides ${codes}; mend what the compiler says, do not hide it`,
    ];
  });

/** Rules of the linter that would say nothing that is wrong here. */
const off = new Set(['use-recent-api-versions', 'use-user-defined-types']);

/** Whether the linter looks at everything: what is off there is not said anywhere else. */
export function configProblems(file: string, text: string): readonly string[] {
  const errors: ParseError[] = [];
  const result = jsonObject.safeParse(parse(text, errors, { allowTrailingComma: true }));
  const [wrong] = errors;
  if (!result.success || wrong) {
    const line = text.slice(0, wrong?.offset ?? 0).split('\n').length;
    return [
      `${file}:${line}: is no JSON: ${wrong ? printParseErrorCode(wrong.error) : 'an object is expected'}`,
    ];
  }
  const core = objectAt(result.data, 'analyzers', 'core');
  return [
    ...(core['enabled'] === true ? [] : [`${file}: analyzers.core.enabled must be true: it is the linter`]),
    ...silentRules(objectAt(core, 'rules')).map(
      name =>
        `${file}: analyzers.core.rules.${name}.level is off; it must be warning, so that it is said and fails this check`,
    ),
  ];
}

const silentRules = (rules: JsonObject): readonly string[] =>
  Object.keys(rules).filter(
    name => !off.has(name) && ['off', 'info'].includes(textAt(rules, name, 'level') ?? 'off'),
  );
