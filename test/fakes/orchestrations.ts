import type { Situation } from '../../shared/domain/situation.js';
import type { Orchestrations } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

export interface FakeOrchestrations extends Orchestrations, Knobs<Orchestrations> {
  /** Inputs of the running lifecycles, by request. */
  readonly running: Map<string, unknown>;
  readonly raised: { readonly requestId: string; readonly situation: Situation }[];
  readonly watched: Set<string>;
  /** When the watch of a pool looked last, by pool. */
  readonly lookedAt: Map<string, string>;
}

export function createFakeOrchestrations(): FakeOrchestrations {
  const running = new Map<string, unknown>();
  const raised: { requestId: string; situation: Situation }[] = [];
  const watched = new Set<string>();
  const lookedAt = new Map<string, string>();
  const orchestrations: Orchestrations = {
    startLifecycle: async (requestId, input) => {
      if (running.has(requestId)) throw new Error(`An orchestration ${requestId} runs already.`);
      // As through the host: what is not JSON does not arrive.
      running.set(requestId, JSON.parse(JSON.stringify(input)));
    },
    runningLifecycle: async requestId =>
      running.has(requestId) ? { input: running.get(requestId) } : undefined,
    raise: async (requestId, situation) => {
      if (!running.has(requestId)) return false;
      raised.push({ requestId, situation });
      return true;
    },
    ensureWatch: async devOpsPool => void watched.add(devOpsPool),
    watch: async devOpsPool => (watched.has(devOpsPool) ? { lookedAt: lookedAt.get(devOpsPool) } : undefined),
  };
  return withKnobs(orchestrations, { running, raised, watched, lookedAt });
}
