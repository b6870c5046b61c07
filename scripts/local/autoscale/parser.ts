import {
  EmbeddedActionsParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  tokenName,
} from 'chevrotain';

import type { FormulaProblem } from './formula.js';
import {
  byPrecedence,
  type Expression,
  isBinaryOperator,
  type OperatorAt,
  type Place,
  type Statement,
} from './syntax.js';
import {
  Assign,
  BinaryToken,
  Close,
  CloseVector,
  Colon,
  Comma,
  Dot,
  Minus,
  NameToken,
  Not,
  NumberToken,
  Open,
  OpenVector,
  Question,
  quoted,
  TextToken,
  tokenTypes,
} from './tokens.js';

export const placeOf = ({ startLine = 1, startColumn = 1 }: IToken): Place => ({
  line: startLine,
  column: startColumn,
});

const shown = (token: IToken | undefined): string =>
  token === undefined || token.tokenType === EOF ? 'the end of the statement' : quoted(token.image);

const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual }) =>
    `Here should be ${tokenName(expected)}, not ${shown(actual)}.`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) =>
    `Here should be an operator or ';', not ${shown(firstRedundant)}.`,
  buildNoViableAltMessage: ({ actual }) =>
    `Here should be a value: a name, a number, a text or '(', not ${shown(actual[0])}.`,
  buildEarlyExitMessage: ({ actual }) => `Here should be a value, not ${shown(actual[0])}.`,
};

/**
 * One statement at a time, so that one that is wrong does not hide what is wrong with the next. Operators are read as a
 * flat list and ordered afterwards: a rule for each level would make deep brackets overflow the stack sooner.
 */
class StatementParser extends EmbeddedActionsParser {
  constructor() {
    super(tokenTypes, { maxLookahead: 2, errorMessageProvider: messages });
    this.performSelfAnalysis();
  }

  readonly statement = this.RULE(
    'statement',
    (): Statement =>
      this.OR([
        {
          GATE: () => this.LA(2).tokenType === Assign,
          ALT: () => {
            const name = this.CONSUME(NameToken);
            this.CONSUME(Assign);
            const value = this.SUBRULE(this.expression);
            const at = placeOf(name);
            return { at, target: { kind: 'name' as const, at, name: name.image }, value };
          },
        },
        {
          ALT: () => {
            const at = placeOf(this.LA(1));
            return { at, value: this.SUBRULE2(this.expression) };
          },
        },
      ]),
  );

  readonly expression = this.RULE('expression', (): Expression => {
    const condition = this.SUBRULE(this.operation);
    const question = this.OPTION(() => {
      const at = placeOf(this.CONSUME(Question));
      const yes = this.SUBRULE(this.expression);
      this.CONSUME(Colon);
      return { at, yes, no: this.SUBRULE2(this.expression) };
    });
    return question ? { kind: 'choice', condition, ...question } : condition;
  });

  readonly operation = this.RULE('operation', (): Expression => {
    const rest: { operator: OperatorAt; operand: Expression }[] = [];
    const first = this.SUBRULE(this.operand);
    this.MANY(() => {
      const token = this.OR([{ ALT: () => this.CONSUME(BinaryToken) }, { ALT: () => this.CONSUME(Minus) }]);
      const operand = this.SUBRULE2(this.operand);
      this.ACTION(() => {
        if (isBinaryOperator(token.image))
          rest.push({ operator: { operator: token.image, at: placeOf(token) }, operand });
      });
    });
    return this.ACTION(() => byPrecedence(first, rest));
  });

  readonly operand = this.RULE('operand', (): Expression => {
    const signs: IToken[] = [];
    this.MANY(() => {
      signs.push(this.OR1([{ ALT: () => this.CONSUME(Minus) }, { ALT: () => this.CONSUME(Not) }]));
    });
    let value = this.SUBRULE(this.value);
    this.MANY2(() => {
      this.CONSUME(Dot);
      const member = this.CONSUME(NameToken);
      const args = this.OPTION(() => this.SUBRULE(this.args));
      const object = value;
      value = this.ACTION(() => {
        const behind = { at: object.at, object, name: member.image, memberAt: placeOf(member) };
        return args ? { kind: 'method', ...behind, args } : { kind: 'member', ...behind };
      });
    });
    return signs.reduceRight<Expression>(
      (operand, sign) => ({
        kind: 'unary',
        at: placeOf(sign),
        operator: sign.tokenType === Not ? '!' : '-',
        operand,
      }),
      value,
    );
  });

  readonly value = this.RULE(
    'value',
    (): Expression =>
      this.OR([
        {
          ALT: () => {
            const token = this.CONSUME(NumberToken);
            return { kind: 'number' as const, at: placeOf(token), value: Number(token.image) };
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(TextToken);
            return { kind: 'string' as const, at: placeOf(token), value: token.image.slice(1, -1) };
          },
        },
        {
          ALT: () => {
            const name = this.CONSUME(NameToken);
            const args = this.OPTION(() => this.SUBRULE(this.args));
            const called = { at: placeOf(name), name: name.image };
            return args ? { kind: 'call' as const, ...called, args } : { kind: 'name' as const, ...called };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Open);
            const inner = this.SUBRULE(this.expression);
            this.CONSUME(Close);
            return inner;
          },
        },
        {
          ALT: () => {
            const items: Expression[] = [];
            const at = placeOf(this.CONSUME(OpenVector));
            this.MANY_SEP({ SEP: Comma, DEF: () => items.push(this.SUBRULE2(this.expression)) });
            this.CONSUME(CloseVector);
            return { kind: 'vector' as const, at, items };
          },
        },
      ]),
  );

  readonly args = this.RULE('args', (): Expression[] => {
    const args: Expression[] = [];
    this.CONSUME(Open);
    this.MANY_SEP({ SEP: Comma, DEF: () => args.push(this.SUBRULE(this.expression)) });
    this.CONSUME(Close);
    return args;
  });
}

const parser = new StatementParser();

/** @param end the place right behind the statement, for what is missing there. */
export function parseStatement(
  tokens: IToken[],
  end: Place,
): { statement?: Statement; problem?: FormulaProblem } {
  parser.input = tokens;
  const statement = parser.statement();
  const [error] = parser.errors;
  if (!error) return { statement };
  const at = error.token.tokenType === EOF ? end : placeOf(error.token);
  return { problem: { ...at, cause: error.message } };
}
