import type { LogFields, Telemetry } from '../../shared/ports.js';

export interface FakeTelemetry extends Telemetry {
  /** E.g. `agents.calls {"service":"batch"} 1`. */
  readonly counted: string[];
  readonly recorded: string[];
  /** Names of steps, in the order in which they ended; with `!` if they failed. */
  readonly steps: string[];
  readonly pasts: string[];
  /** What was noted of steps, by their names. */
  readonly notes: Map<string, LogFields>;
}

export function createFakeTelemetry(): FakeTelemetry {
  const fake = { counted: [], recorded: [], steps: [], pasts: [] } as Record<
    'counted' | 'recorded' | 'steps' | 'pasts',
    string[]
  >;
  const notes = new Map<string, LogFields>();
  return {
    ...fake,
    notes,
    step: async (name, of, work) => {
      const note = (fields: LogFields): void => void notes.set(name, { ...notes.get(name), ...fields });
      note({ requestId: of.requestId, attempt: of.attempt });
      try {
        const result = await work({ traceparent: of.traceparent, note });
        fake.steps.push(name);
        return result;
      } catch (error) {
        fake.steps.push(`${name}!`);
        throw error;
      }
    },
    past: name => void fake.pasts.push(name),
    count: (metric, fields, by = 1) => void fake.counted.push(`${metric} ${JSON.stringify(fields)} ${by}`),
    record: (metric, value, fields) =>
      void fake.recorded.push(`${metric} ${JSON.stringify(fields)} ${value}`),
  };
}
