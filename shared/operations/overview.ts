import type { Overview } from '../answers/overview.js';
import type { Config } from '../config.js';
import { isEnded, type RequestState } from '../domain/request.js';
import type { RequestDigest } from '../ports.js';

/** Whose numbers are asked for. */
export interface OverviewFilter {
  readonly profile?: string | undefined;
  readonly tag?: { readonly name: string; readonly value: string } | undefined;
}

/** An agent is there within seconds on a node that runs, within minutes on one that has to be made first. */
const bucketsUpToMs = [5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 1_800].map(
  seconds => seconds * 1_000,
);
const tagNamesAtMost = 30;
const tagValuesAtMost = 20;

/** Counts. Everything is filtered but the lists of profiles and tags: they are what can be filtered by. */
export function countOverview(
  requests: readonly RequestDigest[],
  config: Pick<Config, 'profiles'>,
  { profile, tag }: OverviewFilter,
): Pick<Overview, 'counts' | 'timeToOnline' | 'failures' | 'profiles' | 'tags'> {
  const wanted = requests.filter(
    request =>
      (profile === undefined || request.profile === profile) &&
      (tag === undefined || (Object.hasOwn(request.tags, tag.name) && request.tags[tag.name] === tag.value)),
  );
  const counts = new Map<RequestState, number>();
  for (const { state } of wanted) counts.set(state, (counts.get(state) ?? 0) + 1);
  const named = requests.map(each => each.profile).filter(name => name !== '');
  return {
    counts: Object.fromEntries(counts),
    timeToOnline: distribution(wanted),
    failures: failuresOf(wanted),
    profiles: [...new Set([...config.profiles.keys(), ...named])],
    tags: tagsOf(requests),
  };
}

function distribution(requests: readonly RequestDigest[]): Overview['timeToOnline'] {
  const times = requests
    .flatMap(({ createdAt, onlineAt }) =>
      onlineAt === undefined ? [] : [Math.max(0, Date.parse(onlineAt) - Date.parse(createdAt))],
    )
    .toSorted((one, other) => one - other);
  /** Nearest rank: a time that some request really took. */
  const percentile = (part: number): number | null =>
    times[Math.max(0, Math.ceil(part * times.length) - 1)] ?? null;
  const buckets = [...bucketsUpToMs, Number.POSITIVE_INFINITY].map((upToMs, index) => {
    const above = bucketsUpToMs[index - 1] ?? Number.NEGATIVE_INFINITY;
    const count = times.filter(ms => ms > above && ms <= upToMs).length;
    return { upToMs: Number.isFinite(upToMs) ? upToMs : null, count };
  });
  return {
    count: times.length,
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    maxMs: times.at(-1) ?? null,
    buckets,
  };
}

function failuresOf(requests: readonly RequestDigest[]): Overview['failures'] {
  const failures = new Map<string, { code: string; count: number; lastAt: string; lastRequestId: string }>();
  for (const { state, failureCode: code, endedAt, updatedAt, requestId } of requests) {
    if (!isEnded(state) || code === undefined) continue;
    const at = endedAt ?? updatedAt;
    const before = failures.get(code);
    const isLast = !before || at >= before.lastAt;
    failures.set(code, {
      code,
      count: (before?.count ?? 0) + 1,
      lastAt: isLast ? at : before.lastAt,
      lastRequestId: isLast ? requestId : before.lastRequestId,
    });
  }
  return [...failures.values()].toSorted(
    (one, other) => other.count - one.count || one.code.localeCompare(other.code),
  );
}

function tagsOf(requests: readonly RequestDigest[]): Overview['tags'] {
  const names = new Map<string, { total: number; readonly values: Map<string, number> }>();
  for (const { tags } of requests) {
    for (const [name, value] of Object.entries(tags)) {
      const tag = names.get(name) ?? { total: 0, values: new Map<string, number>() };
      names.set(name, tag);
      tag.total += 1;
      tag.values.set(value, (tag.values.get(value) ?? 0) + 1);
    }
  }
  const most = [...names]
    .toSorted(([, one], [, other]) => other.total - one.total)
    .slice(0, tagNamesAtMost)
    .toSorted(([one], [other]) => one.localeCompare(other));
  return Object.fromEntries(
    most.map(([name, { values }]) => [
      name,
      [...values]
        .toSorted(([a, one], [b, other]) => other - one || a.localeCompare(b))
        .slice(0, tagValuesAtMost)
        .map(([value]) => value),
    ]),
  );
}
