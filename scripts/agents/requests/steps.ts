import type { ShownRequest } from '../client.js';

/** A stay in one state. */
export interface Step {
  readonly state: string;
  readonly attempt: number;
  /** ISO 8601, UTC. */
  readonly from: string;
  /** Undefined while it goes on. */
  readonly to: string | undefined;
  /** What was said last. */
  readonly detail: string;
}

/** The stays that a history tells, in order. */
export function stepsOf(history: ShownRequest['history']): readonly Step[] {
  const steps: Step[] = [];
  for (const { state, attempt, at, detail } of history) {
    const current = steps.at(-1);
    if (current?.state === state && current.attempt === attempt) {
      steps[steps.length - 1] = { ...current, detail };
    } else {
      if (current) steps[steps.length - 1] = { ...current, to: at };
      steps.push({ state, attempt, from: at, to: undefined, detail });
    }
  }
  return steps;
}
