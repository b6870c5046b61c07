import type { Telemetry } from '../ports.js';

/** Telemetry that nobody wants: it does the work and nothing else. A trace that others began goes on through it. */
export const noTelemetry: Telemetry = {
  step: async (_name, { traceparent }, work) => work({ traceparent, note: () => {} }),
  past: () => {},
  count: () => {},
  record: () => {},
};
