import { ExpressionCompiler, type Scope } from './compile.js';
import { type Compiled, type Frame, isDouble } from './compiled.js';
import type { FormulaProblem } from './formula.js';
import { functions } from './functions.js';
import { asOption, asSampled, didYouMean, intervals, optionVariable, targetOf } from './names.js';
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

  add({ target, value, at }: Statement): void {
    const compiled = this.#expressions.compile(value);
    if (!target) {
      if (compiled) this.steps.push(compiled.run);
      if (compiled && !stops(value)) {
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
      return !value || isDouble(value) || this.#refuse(at, `${name} is a double, not ${value.type}.`);
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
    // It would be a variable of one's own, and the pool would never change.
    const meant = name.startsWith('$') ? nearlyWritable(name) : '';
    return meant === '' || this.#refuse(at, `The service has no ${name}${meant}`);
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
const nearlyWritable = (name: string): string =>
  writable.some(each => Math.abs(each.length - name.length) <= 2) ? didYouMean(name, writable, 2) : '';

const stops = (expression: Expression): boolean =>
  (expression.kind === 'call' && expression.name === 'stop') ||
  (expression.kind === 'choice' && (stops(expression.yes) || stops(expression.no)));
