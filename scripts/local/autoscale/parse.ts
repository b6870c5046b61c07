import type { IToken } from 'chevrotain';

import { evaluate } from './evaluate.js';
import { type Formula, FormulaError, type FormulaProblem, maxFormulaBytes } from './formula.js';
import { aliases } from './names.js';
import { parseStatement, placeOf } from './parser.js';
import { ProgramCompiler } from './statements.js';
import type { Place } from './syntax.js';
import { Assign, Close, CloseVector, Open, OpenVector, Question, Semicolon, tokenize } from './tokens.js';

/** The service's own limit. */
const maxStatements = 100;
/** Ours, far beyond what a person writes: more could overflow the stack. */
const maxDepth = 50;
const maxTokens = 1_500;

interface ParseOptions {
  /** For a formula that is only evaluated, to read what its variables become; statements may be mere values. */
  readonly mayLeaveTargets?: boolean;
}

/**
 * Reads an autoscale formula of Azure Batch.
 *
 * @throws FormulaError with everything that is certain to be wrong with it.
 */
export function parseFormula(text: string, { mayLeaveTargets = false }: ParseOptions = {}): Formula {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxFormulaBytes) {
    throw new FormulaError([
      { line: 1, column: 1, cause: `A formula has at most ${maxFormulaBytes} bytes; this has ${bytes}.` },
    ]);
  }
  const { tokens, problems: unreadable } = tokenize(text);
  const problems = [...unreadable];
  const program = new ProgramCompiler(mayLeaveTargets);
  const statements = splitStatements(tokens);
  const beyond = statements[maxStatements];
  if (beyond) {
    problems.push({
      ...beyond.start,
      cause: `A formula has at most ${maxStatements} statements; this has ${statements.length}.`,
    });
  }
  for (const words of statements) {
    // What follows from a word that is none would only hide it.
    const known = unreadable.some(
      problem => byPlace(words.from, problem) <= 0 && byPlace(problem, words.until) <= 0,
    );
    const { statement, problem } = known ? {} : readStatement(words);
    if (statement) program.add(statement);
    if (problem) problems.push(problem);
    const [name, assign] = words.tokens;
    if (!statement && name && assign?.tokenType === Assign) program.spoil(name.image);
  }
  program.finish();
  problems.push(...program.problems);
  const targets = ['$TargetDedicatedNodes', '$TargetLowPriorityNodes', ...aliases.keys()];
  if (problems.length === 0 && !mayLeaveTargets && !targets.some(name => program.sets(name))) {
    problems.push({
      line: 1,
      column: 1,
      cause:
        'It sets neither $TargetDedicatedNodes nor $TargetLowPriorityNodes, so a pool would never change.',
    });
  }
  if (problems.length > 0) throw new FormulaError(problems.toSorted(byPlace));
  const { steps, assignments } = program;
  return { text, evaluate: input => evaluate({ steps, assignments }, input) };
}

function readStatement({ tokens, end }: StatementWords): ReturnType<typeof parseStatement> {
  const problem = depthProblem(tokens);
  return problem ? { problem } : parseStatement(tokens, end);
}

interface StatementWords {
  readonly tokens: IToken[];
  /** Behind the statement before. */
  readonly from: Place;
  readonly start: Place;
  /** Behind it, with whatever could not be read there. */
  readonly until: Place;
  /** Where something is missing when a statement ends too soon. */
  readonly end: Place;
}

/** Cuts at every `;`, which the last statement may do without. Between two of them there may be nothing. */
function splitStatements(tokens: readonly IToken[]): StatementWords[] {
  const statements: StatementWords[] = [];
  let words: IToken[] = [];
  let from: Place = { line: 1, column: 1 };
  const finish = (semicolon?: IToken): void => {
    const [first] = words;
    const last = words.at(-1);
    if (first && last) {
      const behind = { line: last.endLine ?? 1, column: (last.endColumn ?? 0) + 1 };
      const end = semicolon ? placeOf(semicolon) : behind;
      const until = semicolon ? end : { line: Number.POSITIVE_INFINITY, column: 1 };
      statements.push({ tokens: words, from, until, start: placeOf(first), end });
    }
    words = [];
    if (semicolon) from = placeOf(semicolon);
  };
  for (const token of tokens) {
    if (token.tokenType === Semicolon) finish(token);
    else words.push(token);
  }
  finish();
  return statements;
}

/** Found before the parser goes there. A choice in a choice nests as brackets do. */
function depthProblem(words: readonly IToken[]): FormulaProblem | undefined {
  const beyond = words[maxTokens];
  if (beyond)
    return {
      ...placeOf(beyond),
      cause: `This statement is too long: more than ${maxTokens} words and signs.`,
    };
  let brackets = 0;
  let choices = 0;
  for (const word of words) {
    if (word.tokenType === Open || word.tokenType === OpenVector) brackets += 1;
    if (word.tokenType === Close || word.tokenType === CloseVector) brackets -= 1;
    if (word.tokenType === Question) choices += 1;
    if (brackets + choices > 2 * maxDepth || brackets > maxDepth || choices > maxDepth) {
      return { ...placeOf(word), cause: `This is nested more than ${maxDepth} deep.` };
    }
  }
  return undefined;
}

const byPlace = (one: Place, other: Place): number => one.line - other.line || one.column - other.column;
