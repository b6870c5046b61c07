/** Requests for agents in the order of their time; in columns, because a year has millions. */
export interface Trace {
  readonly name: string;
  /** Moment that the times count from, in ms since the epoch: formulas may ask which day it is. */
  readonly startsAt: number;
  /** At least until here, in ms from the start: the end of the day, not of its last job. */
  readonly lasts: number;
  /** When it was asked for, in ms from the start. */
  readonly at: Float64Array;
  /** How long its job runs, in ms. */
  readonly runs: Float64Array;
  /** Slots that it takes of a node. */
  readonly slots: Uint8Array;
}

export interface Arrival {
  readonly at: number;
  readonly runs: number;
  readonly slots: number;
}

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export function traceOf(
  name: string,
  arrivals: readonly Arrival[],
  { startsAt, lasts }: { readonly startsAt: number; readonly lasts: number },
): Trace {
  const sorted = arrivals.toSorted((one, other) => one.at - other.at);
  return {
    name,
    startsAt,
    lasts: Math.max(lasts, sorted.at(-1)?.at ?? 0),
    at: Float64Array.from(sorted, ({ at }) => at),
    runs: Float64Array.from(sorted, ({ runs }) => runs),
    slots: Uint8Array.from(sorted, ({ slots }) => slots),
  };
}

/** The part of a trace until a moment, as a trace. */
export function firstPart(trace: Trace, lasts: number): Trace {
  let count = 0;
  while (count < trace.at.length && (trace.at[count] ?? 0) < lasts) count += 1;
  return {
    ...trace,
    lasts: Math.min(lasts, trace.lasts),
    at: trace.at.subarray(0, count),
    runs: trace.runs.subarray(0, count),
    slots: trace.slots.subarray(0, count),
  };
}
