import { inBatches } from '../in-batches.js';
import type { Clock, LiveRequest, Log, Telemetry } from '../ports.js';
import { steps } from '../telemetry/steps.js';
import { type BeginDependencies, beginLifecycle } from './begin-lifecycle.js';
import { unhindered } from './unhindered.js';

export interface RestartDependencies extends BeginDependencies {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** A step that is being tried again is no reason to step in. */
const quietMs = 60_000;
/**
 * A request that nobody has begun to start has probably lost its message: its caller waits for nothing. Longer than a
 * claim of `beginLifecycle` holds, which is what keeps two from starting the same orchestration.
 */
const unstartedMs = 20_000;
/** How often this runs, see `functions/timers.ts`. */
const roundMs = 20_000;
const lookedAt = 200;
/** What one round may take on when the orchestrations were lost as a whole. */
const atMost = 2_000;
const atOnce = 16;

/**
 * Starts the orchestration of every live request that has none, whatever its state.
 *
 * A round looks at some of the requests only. Once it finds one that was lost, it looks at the others too, and sooner:
 * the whole Durable state may be gone, and then everybody waits.
 */
export async function restartLost(
  dependencies: RestartDependencies,
  live: readonly LiveRequest[],
): Promise<void> {
  const now = dependencies.clock.now().getTime();
  const quietFor = (ms: number) => (request: LiveRequest) => now - Date.parse(lastMove(request)) > ms;
  const unstarted = live
    .filter(isUnstarted)
    .filter(quietFor(unstartedMs))
    .toSorted((one, other) => one.createdAt.localeCompare(other.createdAt));
  const begun = live.filter(request => !isUnstarted(request));
  const quiet = turn(begun.filter(quietFor(quietMs)), Math.floor(now / roundMs));
  await restartAll(dependencies, unstarted.slice(0, atMost));
  const wereLost = await restartAll(dependencies, quiet);
  if (wereLost === 0) return;

  const looked = new Set(quiet);
  const others = begun.filter(quietFor(unstartedMs)).filter(request => !looked.has(request));
  await restartAll(dependencies, others.slice(0, atMost));
}

const isUnstarted = ({ state, startClaimedAt }: LiveRequest): boolean =>
  state === 'accepted' && startClaimedAt === undefined;

const lastMove = ({ updatedAt, startClaimedAt }: LiveRequest): string =>
  startClaimedAt !== undefined && startClaimedAt > updatedAt ? startClaimedAt : updatedAt;

/** Each round another part, or the requests after the first ones would never have their turn. */
function turn<T>(all: readonly T[], round: number): readonly T[] {
  const first = all.length === 0 ? 0 : (round * lookedAt) % all.length;
  return [...all.slice(first), ...all.slice(0, first)].slice(0, lookedAt);
}

/** @returns how many had to be started. */
async function restartAll(
  dependencies: RestartDependencies,
  requests: readonly LiveRequest[],
): Promise<number> {
  const started = await inBatches(requests, atOnce, async request => restart(dependencies, request));
  return started.filter(Boolean).length;
}

async function restart(
  dependencies: RestartDependencies,
  { requestId, attempt }: LiveRequest,
): Promise<boolean> {
  const { store, log, telemetry, clock } = dependencies;
  const about = { requestId, attempt };
  let started = false;
  const action = async (): Promise<void> => {
    const stored = await store.get(requestId);
    if (!stored) return;
    const begun = clock.now();
    const { traceparent } = stored.request;
    // Most run and need nothing: only a start is a step of the request, written when it was made.
    started = (await beginLifecycle(dependencies, stored, traceparent)) === 'started';
    if (!started) return;
    telemetry.past(steps.restart, { ...about, traceparent }, begun, clock.now());
    log.warn(`Request ${requestId} had no orchestration; it is started again.`, about);
  };
  await unhindered(log, `Request ${requestId} could not be reconciled`, action, about);
  return started;
}
