import { EvaluationFailure, Frame, Stopped } from './compiled.js';
import type { Evaluation, EvaluationInput, FormulaProblem, NodeDeallocationOption } from './formula.js';
import { asOption, optionVariable, type Target, targetOf } from './names.js';
import type { Assignment, Program } from './statements.js';
import { showInterval, showTime } from './times.js';

/** Evaluates a compiled formula. Never throws: whatever goes wrong is in the answer, and nothing is set then. */
export function evaluate(program: Program, input: EvaluationInput): Evaluation {
  const frame = new Frame(input);
  try {
    for (const step of program.steps) {
      step(frame);
      frame.done += 1;
    }
  } catch (error) {
    if (!(error instanceof Stopped)) return failed(input, problemOf(error));
  }
  const dedicated = targetIn(program, frame, '$TargetDedicatedNodes');
  const lowPriority = targetIn(program, frame, '$TargetLowPriorityNodes');
  const problem = problemWith(dedicated) ?? problemWith(lowPriority);
  if (problem) return failed(input, problem);
  return new Outcome(
    program,
    frame,
    wholeNumber(dedicated),
    wholeNumber(lowPriority),
    optionIn(program, frame),
  );
}

const problemOf = (error: unknown): FormulaProblem =>
  error instanceof EvaluationFailure
    ? error.problem
    : {
        line: 1,
        column: 1,
        cause: `It could not be evaluated: ${error instanceof Error ? error.message : String(error)}`,
      };

/** As the service answers then: with what was in force before. */
const failed = (
  { targetDedicatedNodes, targetLowPriorityNodes }: EvaluationInput,
  error: FormulaProblem,
): Evaluation => ({
  results: head(targetDedicatedNodes, targetLowPriorityNodes, 'requeue'),
  error,
});

const head = (dedicated: number, lowPriority: number, option: string): string =>
  `$TargetDedicatedNodes=${dedicated};$TargetLowPriorityNodes=${lowPriority};${optionVariable}=${option}`;

interface SetTarget {
  readonly name: string;
  readonly value: number;
  readonly at: { readonly line: number; readonly column: number };
}

/** What a formula made of a target. The full name counts before its short one, whichever was set last. */
function targetIn({ assignments }: Program, frame: Frame, target: Target): SetTarget | undefined {
  let found: Assignment | undefined;
  for (const assignment of assignments) {
    if (assignment.statement >= frame.done || targetOf(assignment.name) !== target) continue;
    if (assignment.name === target || found?.name !== target) found = assignment;
  }
  return found && { name: found.name, value: frame.numbers[found.slot] ?? 0, at: found.at };
}

/** A negative number is refused rather than taken for 0: what the service does with one is not documented. */
function problemWith(target: SetTarget | undefined): FormulaProblem | undefined {
  if (!target || (Number.isFinite(target.value) && target.value > -1)) return undefined;
  const { name, value, at } = target;
  const cause = Number.isFinite(value)
    ? `${name} can't be ${value}: write max(0, …).`
    : `${name} must be a number of nodes, not ${value}.`;
  return { line: at.line, column: at.column, cause };
}

/** Without its fraction, which is what the usual `(tasks + slots - 1) / slots` counts on. Never -0. */
const wholeNumber = (target: SetTarget | undefined): number | undefined =>
  target && Math.trunc(target.value) + 0;

function optionIn({ assignments }: Program, frame: Frame): NodeDeallocationOption | undefined {
  const set = assignments.findLast(
    ({ name, statement }) => name === optionVariable && statement < frame.done,
  );
  return set && asOption(frame.texts[set.slot] ?? '');
}

class Outcome implements Evaluation {
  declare readonly targetDedicatedNodes?: number;
  declare readonly targetLowPriorityNodes?: number;
  declare readonly nodeDeallocationOption?: NodeDeallocationOption;
  readonly #program: Program;
  readonly #frame: Frame;

  constructor(
    program: Program,
    frame: Frame,
    dedicated: number | undefined,
    lowPriority: number | undefined,
    option: NodeDeallocationOption | undefined,
  ) {
    this.#program = program;
    this.#frame = frame;
    if (dedicated !== undefined) this.targetDedicatedNodes = dedicated;
    if (lowPriority !== undefined) this.targetLowPriorityNodes = lowPriority;
    if (option !== undefined) this.nodeDeallocationOption = option;
  }

  /** Made when it is asked for: a simulation evaluates hundreds of thousands of times and never does. */
  get results(): string {
    const { input, done } = this.#frame;
    const own = new Map<string, string>();
    for (const assignment of this.#program.assignments) {
      const { name, statement } = assignment;
      if (statement < done && !targetOf(name) && name !== optionVariable)
        own.set(name, shown(assignment, this.#frame));
    }
    const sorted = [...own].toSorted(([one], [other]) => (one < other ? -1 : 1));
    return [
      head(
        this.targetDedicatedNodes ?? input.targetDedicatedNodes,
        this.targetLowPriorityNodes ?? input.targetLowPriorityNodes,
        this.nodeDeallocationOption ?? 'requeue',
      ),
      ...sorted.map(([name, value]) => `${name}=${value}`),
    ].join(';');
  }
}

function shown({ type, slot }: Assignment, frame: Frame): string {
  switch (type) {
    case 'double':
      return String(frame.numbers[slot]);
    case 'timestamp':
      return showTime(frame.numbers[slot] ?? 0);
    case 'timeinterval':
      return showInterval(frame.numbers[slot] ?? 0);
    case 'doubleVec':
      return `[${frame.vectors[slot]?.join(',') ?? ''}]`;
    case 'string':
    case 'deallocation option':
      return frame.texts[slot] ?? '';
  }
}
