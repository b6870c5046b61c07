import type { Evidence } from '../evidence.js';

/** A kill or a fault may have met what was under way so long before it was written down. */
const slackMs = 2_000;
/** An orchestration that is gone with the Durable state begins again only when reconcile has missed it. */
const missedMs = 120_000;

/**
 * Whether something happened from one moment to the next that makes whoever was at work then do it again: a kill of a part,
 * the loss of all orchestrations, or a call of a kind that met a fault. Delivery is at least once; without a reason it has to be once.
 *
 * @param calls which bites count, by their call.
 */
export function isDisturbed(
  { kills, forgotten, bites }: Evidence,
  from: string,
  to: string,
  calls: (part: string, call: string) => boolean,
): boolean {
  const begin = Date.parse(from) - slackMs;
  const end = Date.parse(to);
  const killed = kills.some(({ part, at, backAt }) => {
    const back = backAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(backAt);
    return part !== 'batch' && Date.parse(at) <= end && back >= begin;
  });
  return (
    killed ||
    forgotten.some(at => Date.parse(at) <= end && Date.parse(at) + missedMs >= begin) ||
    bites.some(({ part, call, at }) => {
      const when = Date.parse(at);
      return begin <= when && when <= end && calls(part, call);
    })
  );
}
