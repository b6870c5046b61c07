import { ExpressionCompiler, type Scope } from './compile.js';
import { type Compiled, type Frame, isDouble } from './compiled.js';
import type { FormulaProblem } from './formula.js';
import { functions } from './functions.js';
import { asOption, asSampled, intervals, nearest, optionVariable, targetOf } from './names.js';
import type { Expression, Name, Place, Statement } from './syntax.js';

/** One assignment, and where its value is found in the frame. */
export interface Assignment {
  readonly name: string;
  readonly type: Exclude<Compiled['type'], 'nothing'>;
  readonly slot: number;
  readonly at: Place;
  /** Which statement it is, from 0. */
  readonly statement: number;
}

export interface Program {
  readonly steps: readonly ((frame: Frame) => void)[];
  readonly assignments: readonly Assignment[];
}

/** Compiles statements one by one: what each sees is what those before it set. */
export class ProgramCompiler {
  readonly problems: FormulaProblem[] = [];
  readonly steps: ((frame: Frame) => void)[] = [];
  readonly assignments: Assignment[] = [];
  readonly #scope: Scope = new Map();
  readonly #expressions = new ExpressionCompiler(this.#scope, this.problems);
  /** Variables of its own that are nearly a service's: the problem unless the service's own is set as well. */
  readonly #nearly: { readonly meant: string; readonly problem: FormulaProblem }[] = [];
  readonly #mayOnlyRead: boolean;

  /** @param mayOnlyRead whether a statement may be a mere value: for a formula that is only tried. */
  constructor(mayOnlyRead: boolean) {
    this.#mayOnlyRead = mayOnlyRead;
  }

  /** Adds the problems that show only once all statements are there. */
  finish(): void {
    for (const { meant, problem } of this.#nearly) {
      const isSet = [...this.#scope.keys()].some(
        name => name === meant || (targetOf(name) !== undefined && targetOf(name) === targetOf(meant)),
      );
      if (!isSet) this.problems.push(problem);
    }
  }

  add({ target, value, at }: Statement): void {
    const compiled = this.#expressions.compile(value);
    if (!target) {
      if (compiled) this.steps.push(compiled.run);
      if (compiled && !this.#mayOnlyRead && !stops(value)) {
        this.#refuse(at, 'This changes nothing: a statement is name = value; or stop().');
      }
      return;
    }
    const sound = this.#mayAssign(target, compiled);
    this.#scope.set(
      target.name,
      sound && compiled && compiled.type !== 'nothing' ? this.#assign(target, compiled) : undefined,
    );
  }

  /** What is never set because its value was wrong: reading it is not another problem. */
  spoil(name: string): void {
    this.#scope.set(name, undefined);
  }

  sets(name: string): boolean {
    return this.#scope.has(name);
  }

  #refuse({ line, column }: Place, cause: string): false {
    this.problems.push({ line, column, cause });
    return false;
  }

  #mayAssign({ name, at }: Name, value: Compiled | undefined): boolean {
    if (asSampled(name)) return this.#refuse(at, `${name} can only be read: the service sets it.`);
    if (functions.has(name)) return this.#refuse(at, `${name} is a function and can't be set.`);
    if (intervals.has(name) || asOption(name))
      return this.#refuse(at, `${name} is a constant and can't be set.`);
    if (value?.type === 'nothing')
      return this.#refuse(at, `${name} can't be set to what stop() gives: nothing.`);
    if (targetOf(name)) {
      const hint = value?.type === 'doubleVec' ? ': take one value of the vector, as max(…) or avg(…)' : '';
      return !value || isDouble(value) || this.#refuse(at, `${name} is a double, not ${value.type}${hint}.`);
    }
    if (name === optionVariable) {
      const right = !value || value.type === 'deallocation option';
      return (
        right ||
        this.#refuse(
          at,
          `${name} is requeue, terminate, taskcompletion or retaineddata, without quotes, not ${value.type}.`,
        )
      );
    }
    const meant = name.startsWith('$') ? nearlyWritable(name) : undefined;
    if (meant !== undefined) {
      const { line, column } = at;
      this.#nearly.push({
        meant,
        problem: { line, column, cause: `The service has no ${name}, did you mean ${meant}?` },
      });
    }
    return true;
  }

  #assign({ name, at }: Name, value: Exclude<Compiled, { type: 'nothing' }>): Compiled {
    const slot = this.assignments.length;
    const statement = this.steps.length;
    this.assignments.push({ name, type: value.type, slot, at, statement });
    switch (value.type) {
      case 'doubleVec': {
        const { run } = value;
        this.steps.push(frame => {
          frame.vectors[slot] = run(frame);
        });
        return { ...value, run: frame => frame.vectors[slot] ?? [] };
      }
      case 'string':
      case 'deallocation option': {
        const { run } = value;
        this.steps.push(frame => {
          frame.texts[slot] = run(frame);
        });
        return { ...value, run: frame => frame.texts[slot] ?? '' };
      }
      case 'double':
      case 'timestamp':
      case 'timeinterval': {
        const { run } = value;
        this.steps.push(frame => {
          frame.numbers[slot] = run(frame);
        });
        return { ...value, run: frame => frame.numbers[slot] ?? 0 };
      }
    }
  }
}

const writable = [
  '$TargetDedicatedNodes',
  '$TargetLowPriorityNodes',
  '$TargetDedicated',
  '$TargetLowPriority',
  optionVariable,
];

/** Two letters beside a name that can be written, or its letters in another case. */
const nearlyWritable = (name: string): string | undefined =>
  writable.some(each => Math.abs(each.length - name.length) <= 2) ? nearest(name, writable, 2) : undefined;

const stops = (expression: Expression): boolean =>
  (expression.kind === 'call' && expression.name === 'stop') ||
  (expression.kind === 'choice' && (stops(expression.yes) || stops(expression.no)));
