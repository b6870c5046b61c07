import type { Evaluation, EvaluationInput, Formula } from '../../scripts/local/autoscale/formula.js';
import { minute, type Trace, traceOf } from '../../scripts/simulate/trace/trace.js';
import { usualWorld, type World } from '../../scripts/simulate/world.js';

/** Nothing is left to chance: a node boots in 5 minutes and a minute of pulling, an agent is online half a minute later. */
export const plainWorld: World = {
  ...usualWorld,
  slots: 1,
  firstEvaluationMinutes: 1,
  bootMinutes: 5,
  bootSpread: 0,
  pullSeconds: 60,
  startSeconds: 5,
  registerSeconds: 25,
  sampleLoss: 0,
  evictionsPerHour: 0,
};

const startsAt = Date.parse('2026-03-02T00:00:00Z');

/** Requests as `[minute, runs for, slots]`. */
export const requests = (...list: readonly (readonly [at: number, runs: number, slots?: number])[]): Trace =>
  traceOf(
    'made up',
    list.map(([at, runs, slots = 1]) => ({ at: at * minute, runs: runs * minute, slots })),
    { startsAt, lasts: 0 },
  );

/** A formula that is a function; minutes count from the start of the trace. */
export const formula = (
  decide: (minutes: number, input: EvaluationInput) => Omit<Evaluation, 'results'>,
): Formula => ({
  text: '',
  evaluate: input => ({ results: '', ...decide((input.now - startsAt) / minute, input) }),
});

/** So many Spot nodes until a minute, and then others. */
export const spotNodes = (
  first: number,
  until = Number.POSITIVE_INFINITY,
  then = 0,
  nodeDeallocationOption: Evaluation['nodeDeallocationOption'] = 'taskcompletion',
): Formula =>
  formula(minutes => ({
    targetLowPriorityNodes: minutes < until ? first : then,
    ...(nodeDeallocationOption && { nodeDeallocationOption }),
  }));
