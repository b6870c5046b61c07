import pLimit from 'p-limit';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import type { Failure } from '../../shared/domain/failure.js';
import { advance, type Change } from '../../shared/domain/lifecycle.js';
import { agentNameOf, batchJobIdOf, dayOf } from '../../shared/domain/names.js';
import { type AgentRequest, acceptedRequest } from '../../shared/domain/request.js';
import { type Random, seeded } from '../chaos/random.js';
import type { Stack } from '../local/stack/stack.js';

/** Requests as a team of some hundred people makes them in a day, so that pages and pictures have something to show. */
export interface MadeUp {
  readonly profile: string;
  readonly devOpsPool: string;
  readonly batchPool: string;
  /** Seconds from the container's start to online, least and most. */
  readonly toOnline: readonly [number, number];
  readonly weight: number;
}

const teams = ['web', 'payments', 'data', 'mobile', 'platform'] as const;
const branches = ['main', 'main', 'main', 'release/4.2', 'feature/checkout', 'fix/flaky-login'] as const;

const failures: readonly Failure[] = [
  {
    code: 'ImagePullFailed',
    stage: 'container',
    message:
      'The image azdo-agent:ubuntu-24.04-azdo could not be pulled: manifest unknown. Push it to the registry, or correct the profile.',
    retryable: true,
  },
  {
    code: 'RegistrationTimeout',
    stage: 'registration',
    message:
      'The agent did not register within 30 minutes. Its container runs: look at the proxy between it and Azure DevOps.',
    retryable: true,
  },
  {
    code: 'NodeAllocationTimeout',
    stage: 'nodeAllocation',
    message: 'No node was free within 30 minutes. The Batch pool has 8 nodes and may have no more.',
    retryable: true,
  },
];

/** @param spreadMs over which time they were asked for, up to now. */
export async function seedMadeUp(
  { settings }: Pick<Stack, 'settings'>,
  kinds: readonly MadeUp[],
  {
    count,
    spreadMs,
    seed = 7,
  }: { readonly count: number; readonly spreadMs: number; readonly seed?: number },
): Promise<void> {
  const store = createTableRequestStore({
    account: { connectionString: settings['AzureWebJobsStorage'] ?? '' },
  });
  const random = seeded(seed);
  const now = Date.now();
  const limit = pLimit(32);
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      // Evenly, with the last ones just now; whoever is asked earlier has mostly ended.
      const askedAt =
        now - Math.round((spreadMs * index) / count) - random.between(0, Math.ceil(spreadMs / count));
      const [accepted, latest] = lifeUntil(now, askedAt, chosen(random, kinds), index, random);
      return limit(async () => {
        await store.insert(
          accepted,
          Buffer.from(JSON.stringify({ version: 1, requestId: accepted.requestId })),
        );
        const stored = latest === accepted ? undefined : await store.get(accepted.requestId);
        if (stored) await store.replace(stored, latest);
      });
    }),
  );
}

const chosen = (random: Random, kinds: readonly MadeUp[]): MadeUp => {
  const name = random.weighted(Object.fromEntries(kinds.map(kind => [kind.profile, kind.weight])));
  const found = kinds.find(({ profile }) => profile === name);
  if (!found) throw new Error('There are no kinds of requests to make up.');
  return found;
};

/** One request, as it began and as it is now. */
function lifeUntil(
  now: number,
  askedAt: number,
  kind: MadeUp,
  index: number,
  random: Random,
): [AgentRequest, AgentRequest] {
  const team = pick(random, teams);
  const requestId = `${team}-build-${String(48_211 - index)}`;
  const iso = (at: number): string => new Date(at).toISOString();
  const accepted: AgentRequest = {
    ...acceptedRequest(requestId, iso(askedAt), 'Asked for by a pipeline that waits.'),
    profile: kind.profile,
    devOpsPool: kind.devOpsPool,
    image: 'azdo-agent:ubuntu-24.04-azdo',
    timeoutMinutes: 30,
    tags: { team, branch: pick(random, branches) },
    startClaimedAt: iso(askedAt),
  };
  let request = accepted;
  let at = askedAt;
  const go = (seconds: number, change: Omit<Change, 'at'>): boolean => {
    at += Math.round(seconds * 1_000);
    if (at > now) return false;
    request = advance(request, { ...change, at: iso(at) });
    return true;
  };
  const between = (least: number, most: number): number => least + random.next() * (most - least);
  const ending = random.weighted({ completed: 88, again: 5, deadLettered: 3, expired: 2, cancelled: 2 });
  const failure = pick(random, failures);
  const attempts = ending === 'deadLettered' ? 3 : ending === 'again' ? 2 : 1;
  const [least, most] = kind.toOnline;

  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const again = attempt > 1;
    const pause = again ? between(8, 20) * attempt : between(0.2, 1.5);
    const agentName = agentNameOf(requestId, attempt);
    const why = again ? `Attempt ${attempt}, after ${failure.code}.` : 'Attempt 1.';
    if (!go(pause, { to: 'provisioning', detail: why, attempt, agentName })) return [accepted, request];
    const batch = {
      poolId: kind.batchPool,
      jobId: batchJobIdOf(kind.profile, dayOf(iso(askedAt)), 0),
      taskId: agentName,
    };
    if (!go(between(0.4, 2), { to: 'starting', detail: 'The Batch task is created.', batch })) {
      return [accepted, request];
    }
    if (attempt < attempts) at += Math.round(between(20, 50) * 1_000);
  }
  if (ending === 'deadLettered') {
    go(between(20, 60), { to: 'deadLettered', detail: failure.message, failure });
    return [accepted, request];
  }
  if (ending === 'cancelled') {
    go(between(5, 30), { to: 'cancelled', detail: 'The run of its pipeline is over.' });
    return [accepted, request];
  }
  // Most come quickly, a few much later.
  const slow = between(0, 1) ** 3;
  if (go(least + slow * (most - least), { to: 'online', detail: 'The agent is online.' })) {
    if (ending === 'expired') go(600, { to: 'expired', detail: 'No job came within 10 minutes.' });
    else if (go(between(1, 8), { to: 'busy', detail: 'Its job runs.' })) {
      go(between(60, 900), { to: 'completed', detail: 'Its job is over; task and registration are gone.' });
    }
  }
  return [accepted, request];
}

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[random.between(0, values.length - 1)];
  if (value === undefined) throw new Error('There is nothing to pick from.');
  return value;
}
