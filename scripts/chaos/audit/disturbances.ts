import type { Evidence } from '../evidence.js';

/** What was sent before a kill, or lost with an answer, may come again so much later. */
const slackMs = 1_500;

/**
 * Whether anything happened between two moments that makes whoever was at work then do it again: a kill of a part, or a
 * call of a kind that met a fault. Delivery is at least once; without a reason it has to be once.
 *
 * @param calls which bites count, by their call.
 */
export function isDisturbed(
  { kills, bites }: Evidence,
  from: string,
  to: string,
  calls: (part: string, call: string) => boolean,
): boolean {
  const [begin, end] = [Date.parse(from) - slackMs, Date.parse(to) + slackMs];
  const killed = kills.some(({ part, at, backAt }) => {
    const back = backAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(backAt);
    return part !== 'batch' && Date.parse(at) <= end && back >= begin;
  });
  return (
    killed ||
    bites.some(({ part, call, at }) => {
      const when = Date.parse(at);
      return begin <= when && when <= end && calls(part, call);
    })
  );
}
