import type { RequestState } from '../domain/request.js';
import type { LiveRequest, Telemetry } from '../ports.js';

const phases = ['waiting', 'starting', 'online', 'busy'] as const;

const phaseOf = (state: RequestState): (typeof phases)[number] =>
  state === 'starting' || state === 'online' || state === 'busy' ? state : 'waiting';

/**
 * Measures what waits and what works, of rows that were listed anyway.
 *
 * @param pools all agent pools: one where nothing lives is told as empty.
 * @param now milliseconds since the epoch.
 */
export function recordLive(
  telemetry: Telemetry,
  live: readonly LiveRequest[],
  pools: Iterable<string>,
  now: number,
): void {
  for (const pool of new Set([...pools, ...live.map(({ devOpsPool }) => devOpsPool)])) {
    const counts = new Map<string, number>(phases.map(phase => [phase, 0]));
    let oldest = now;
    for (const { devOpsPool, state, createdAt } of live) {
      if (devOpsPool !== pool) continue;
      const phase = phaseOf(state);
      counts.set(phase, (counts.get(phase) ?? 0) + 1);
      if (phase === 'waiting' || phase === 'starting') oldest = Math.min(oldest, Date.parse(createdAt));
    }
    for (const [phase, count] of counts) telemetry.record('agents.requests.live', count, { pool, phase });
    telemetry.record('agents.requests.oldest_waiting', (now - oldest) / 1_000, { pool });
  }
}
