import { createToken, type ITokenConfig, Lexer, type TokenType } from 'chevrotain';

import type { FormulaProblem } from './formula.js';

/**
 * The words of the language. Numbers are digits with an optional fraction and exponent; texts stand in double quotes on one
 * line. The service's page shows no other way to write them, so others are refused: single quotes, escapes, hexadecimal.
 */

const token = (name: string, pattern: string | RegExp, more: Partial<ITokenConfig> = {}): TokenType =>
  createToken({ name, pattern, ...more });

const blank = token('blank', /\s+/, { group: Lexer.SKIPPED, line_breaks: true });
const lineComment = token('comment', /\/\/[^\n\r]*/, { group: Lexer.SKIPPED });
const blockComment = token('block comment', /\/\*[\s\S]*?\*\//, { group: Lexer.SKIPPED, line_breaks: true });
const openComment = token('open comment', /\/\*[\s\S]*/, { line_breaks: true });
const openText = token('open text', /"[^"\n\r]*/);

export const NumberToken = token('a number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/);
export const TextToken = token('a text', /"[^"\n\r]*"/);
export const NameToken = token('a name', /\$?[A-Za-z_]\w*/);
export const Question = token("'?'", '?', { label: "'?'" });
export const Colon = token("':'", ':');
export const Semicolon = token("';'", ';');
export const Comma = token("','", ',');
export const Dot = token("'.'", '.');
export const Open = token("'('", '(');
export const Close = token("')'", ')');
export const OpenVector = token("'['", '[');
export const CloseVector = token("']'", ']');

/** Two-character operators before those that they begin with. */
export const Minus = token("'-'", '-');
export const Not = token("'!'", '!');
export const BinaryToken = token('an operator', Lexer.NA);
const binary = (name: string): TokenType => token(`'${name}'`, name, { categories: [BinaryToken] });
const comparisons = ['==', '!=', '<=', '>=', '<', '>'].map(binary);
const others = ['&&', '||', '+', '*', '/'].map(binary);
export const Assign = token("'='", '=');

export const tokenTypes = [
  blank,
  lineComment,
  blockComment,
  openComment,
  TextToken,
  openText,
  NumberToken,
  NameToken,
  ...comparisons,
  ...others,
  Minus,
  Not,
  BinaryToken,
  Assign,
  Question,
  Colon,
  Semicolon,
  Comma,
  Dot,
  Open,
  Close,
  OpenVector,
  CloseVector,
];

const lexer = new Lexer(tokenTypes, { ensureOptimizations: false });

/** Cuts a text into words; what is none is told in `problems`. */
export function tokenize(text: string): {
  tokens: ReturnType<Lexer['tokenize']>['tokens'];
  problems: FormulaProblem[];
} {
  const { tokens, errors } = lexer.tokenize(text);
  const problems = errors.map(({ offset, length, line = 1, column = 1 }) => ({
    line,
    column,
    cause: `${quoted(text.slice(offset, offset + length))} means nothing in a formula.`,
  }));
  const whole = tokens.filter(({ tokenType }) => tokenType !== openComment && tokenType !== openText);
  for (const { tokenType, startLine = 1, startColumn = 1 } of tokens) {
    const at = { line: startLine, column: startColumn };
    if (tokenType === openComment) problems.push({ ...at, cause: 'This comment is never closed with */.' });
    if (tokenType === openText)
      problems.push({ ...at, cause: 'This text is not closed with " on the same line.' });
  }
  return { tokens: whole, problems };
}

/** Cut short: what is wrong may be most of the formula. */
export const quoted = (text: string): string => `'${text.length > 20 ? `${text.slice(0, 20)}…` : text}'`;
