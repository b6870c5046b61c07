import type { Health } from '../answers/health.js';
import type { AgentRegistry, Clock, Compute, RequestStore } from '../ports.js';
import { type ApiResponse, json } from './problem.js';

interface HealthDependencies {
  readonly store: Pick<RequestStore, 'get'>;
  readonly compute: Pick<Compute, 'ping'>;
  readonly registry: Pick<AgentRegistry, 'ping'>;
  readonly clock: Clock;
}

const patienceMs = 3_000;
/** Anybody may ask: they must not be able to make us call other services at their pace. */
const keptMs = 10_000;

/** Liveness and, per dependency, whether it can be reached; nothing that tells where or why. */
export function health({ store, compute, registry, clock }: HealthDependencies): () => Promise<ApiResponse> {
  let kept: { readonly until: number; readonly answer: Promise<ApiResponse> } | undefined;

  const check = async (): Promise<ApiResponse> => {
    const [storage, batch, azureDevOps] = await Promise.all([
      reachable(clock, async () => store.get('health')),
      reachable(clock, async () => compute.ping()),
      reachable(clock, async () => registry.ping()),
    ]);
    const all = [storage, batch, azureDevOps].every(dependency => dependency.reachable);
    return json(200, {
      status: all ? 'healthy' : 'degraded',
      dependencies: { storage, batch, azureDevOps },
    } satisfies Health);
  };

  return async () => {
    const now = clock.now().getTime();
    if (!kept || kept.until <= now) kept = { until: now + keptMs, answer: check() };
    return kept.answer;
  };
}

async function reachable(
  clock: Clock,
  ask: () => Promise<unknown>,
): Promise<{ readonly reachable: boolean }> {
  const patience = new AbortController();
  const answer = ask().then(
    () => true,
    () => false,
  );
  const late = clock.sleep(patienceMs, patience.signal).then(() => false);
  const result = await Promise.race([answer, late]);
  patience.abort();
  return { reachable: result };
}
