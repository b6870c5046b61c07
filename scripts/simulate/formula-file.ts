import { type Formula, FormulaError } from '../local/autoscale/formula.js';
import { parseFormula } from '../local/autoscale/parse.js';
import { InputError } from './input-error.js';

/** Until here a formula is parameters, which templates and `--set` replace. */
export const endOfParameters = '// End of the parameters.';
const parameterLine = /^(?<name>[A-Za-z_]\w*)\s*=\s*(?<value>-?\d+(?:\.\d+)?)\s*;/;

export interface Parameter {
  readonly name: string;
  readonly value: number;
}

/** The parameters of a formula: its lines `name = number;` before the line that ends them. */
export function parametersOf(text: string): readonly Parameter[] {
  return parameterPart(text).flatMap(line => {
    const { name, value } = parameterLine.exec(line)?.groups ?? {};
    return name === undefined ? [] : [{ name, value: Number(value) }];
  });
}

/** The formula with other values of some of its parameters; no line moves. */
export function withParameters(text: string, values: ReadonlyMap<string, number>): string {
  const part = parameterPart(text);
  const changed = part.map(line => {
    const name = parameterLine.exec(line)?.groups?.['name'] ?? '';
    const value = values.get(name);
    return value === undefined ? line : line.replace(parameterLine, `${name} = ${value};`);
  });
  return [...changed, ...text.split('\n').slice(part.length)].join('\n');
}

function parameterPart(text: string): readonly string[] {
  const lines = text.split('\n');
  const end = lines.findIndex(line => line.trimEnd() === endOfParameters);
  return lines.slice(0, Math.max(0, end));
}

/** @throws InputError with a line for each problem */
export function readFormula(file: string, text: string): Formula {
  try {
    return parseFormula(text);
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    throw new InputError(error.problems.map(problem => ({ file, ...problem })));
  }
}
