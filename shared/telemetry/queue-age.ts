import type { Telemetry } from '../ports.js';

/** @param inserted when the message was put into the queue, as the host says it: a text or a date. */
export function measureAge(telemetry: Telemetry, inserted: unknown, now = Date.now()): void {
  const at = inserted instanceof Date ? inserted.getTime() : Date.parse(String(inserted));
  if (!Number.isNaN(at)) telemetry.record('agents.queue.age', Math.max(0, now - at) / 1_000);
}
