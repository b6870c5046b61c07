import pLimit from 'p-limit';
import { createTableRequestStore } from '../../shared/adapters/table-request-store.js';
import type { Failure } from '../../shared/domain/failure.js';
import { remedyFor } from '../../shared/domain/failure-guide.js';
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
  /** At most so many nodes, each for one agent. */
  readonly nodes: number;
}

const teams = ['web', 'payments', 'data', 'mobile', 'platform'] as const;
const branches = ['main', 'main', 'main', 'release/4.2', 'feature/checkout', 'fix/flaky-login'] as const;

const timeoutMinutes = 10;
const untilTimeout = [timeoutMinutes * 60, timeoutMinutes * 60 + 5] as const;

/** What goes wrong, as the product tells it, and how many seconds after the task was made. */
const failures: ReadonlyArray<Failure & { readonly after: readonly [number, number] }> = [
  {
    code: 'ImagePullFailed',
    stage: 'container',
    message: `The agent's image could not be pulled: manifest unknown. ${remedyFor('ImagePullFailed')}`,
    retryable: true,
    after: [20, 50],
  },
  {
    code: 'RegistrationTimeout',
    stage: 'registration',
    message: `The agent's container runs, but it did not register within ${timeoutMinutes} min. ${remedyFor('RegistrationTimeout')}`,
    retryable: true,
    after: untilTimeout,
  },
  {
    code: 'NodeAllocationTimeout',
    stage: 'nodeAllocation',
    message: `No node of the Batch pool took the agent's task within ${timeoutMinutes} min. ${remedyFor('NodeAllocationTimeout')}`,
    retryable: true,
    after: untilTimeout,
  },
];

/**
 * @param spreadMs over which time they were asked for, up to now.
 * @returns the requests as they are now, the newest first.
 */
export async function seedMadeUp(
  { settings }: Pick<Stack, 'settings'>,
  kinds: readonly MadeUp[],
  {
    count,
    spreadMs,
    seed = 7,
  }: { readonly count: number; readonly spreadMs: number; readonly seed?: number },
): Promise<readonly AgentRequest[]> {
  const store = createTableRequestStore({
    account: { connectionString: settings['AzureWebJobsStorage'] ?? '' },
  });
  const random = seeded(seed);
  const now = Date.now();
  const limit = pLimit(32);
  return Promise.all(
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
        return latest;
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
    timeoutMinutes,
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
  const { after, ...failure } = pick(random, failures);
  const untilItFails = (): number => between(...after);
  const attempts = ending === 'deadLettered' ? 3 : ending === 'again' ? 2 : 1;
  const [least, most] = kind.toOnline;

  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const agentName = agentNameOf(requestId, attempt);
    if (attempt > 1) {
      const pause = Math.round(between(8, 20) * attempt);
      const detail = `Attempt ${attempt - 1} failed with ${failure.code}: ${failure.message} Next attempt in ${pause} s.`;
      const failed: Omit<Change, 'at'> = { to: 'provisioning', detail, attempt, agentName, failure };
      if (!go(untilItFails(), failed)) return [accepted, request];
      at += pause * 1_000;
    }
    const detail = `Attempt ${attempt} of 3.`;
    if (!go(between(0.2, 1.5), { to: 'provisioning', detail, attempt, agentName })) {
      return [accepted, request];
    }
    const jobId = batchJobIdOf(kind.profile, dayOf(iso(askedAt)), 0);
    const batch = { poolId: kind.batchPool, jobId, taskId: agentName };
    const made = `Batch task ${agentName} in job ${jobId}, pool ${kind.batchPool}.`;
    if (!go(between(0.4, 2), { to: 'starting', detail: made, batch })) return [accepted, request];
  }
  if (ending === 'deadLettered') {
    go(untilItFails(), { to: 'deadLettered', detail: `${failure.code}: ${failure.message}`, failure });
    return [accepted, request];
  }
  if (ending === 'cancelled') {
    go(between(5, 30), { to: 'cancelled', detail: 'Cancelled by request.' });
    return [accepted, request];
  }
  // Most come quickly, a few much later.
  const slow = between(0, 1) ** 3;
  if (
    go(least + slow * (most - least), {
      to: 'online',
      detail: `Agent ${request.agentName ?? '?'} is online.`,
    })
  ) {
    if (ending === 'expired') go(600, { to: 'expired', detail: 'Online, but no job came within 600 s.' });
    else if (go(between(1, 8), { to: 'busy', detail: 'The agent runs its job.' })) {
      go(between(60, 900), { to: 'completed', detail: 'The agent ran its job and ended.' });
    }
  }
  return [accepted, request];
}

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[random.between(0, values.length - 1)];
  if (value === undefined) throw new Error('There is nothing to pick from.');
  return value;
}
