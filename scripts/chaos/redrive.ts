import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import { call, type Reply } from './call.js';
import type { RequestRow } from './evidence.js';

export interface Redriven {
  readonly redriven: readonly string[];
  /** Those that can't be understood, however often they are tried. */
  readonly purged: readonly string[];
  readonly findings: readonly string[];
}

const Results = z.looseObject({
  results: z.array(z.looseObject({ requestId: z.string(), outcome: z.string(), detail: z.string() })),
});
/** What the route takes at once. */
const atOnce = 200;

/** Sends every dead letter on its way again, now that nothing fails any more; what can't be understood is purged. */
export async function redriveAll(stack: Stack, rows: readonly RequestRow[]): Promise<Redriven> {
  const ids = rows.filter(({ state }) => state === 'deadLettered').map(({ requestId }) => requestId);
  // A message of which nothing was understood became a request without a profile, and so without a tag.
  const garbled = new Set(rows.filter(({ tag }) => tag === undefined).map(({ requestId }) => requestId));
  const results = await settle(stack, 'redrive', ids);
  const redriven = results.filter(({ outcome }) => outcome === 'redriven').map(({ requestId }) => requestId);
  const findings = results
    .filter(({ requestId, outcome }) => outcome !== (garbled.has(requestId) ? 'refused' : 'redriven'))
    .map(
      ({ requestId, outcome, detail }) => `Request ${requestId} could not be redriven: ${outcome}: ${detail}`,
    );
  const refused = results.filter(({ outcome }) => outcome === 'refused').map(({ requestId }) => requestId);
  const purged = await settle(stack, 'purge', refused);
  return {
    redriven,
    purged: purged.filter(({ outcome }) => outcome === 'purged').map(({ requestId }) => requestId),
    findings: [
      ...findings,
      ...purged
        .filter(({ outcome }) => outcome !== 'purged')
        .map(({ requestId, detail }) => `Dead letter ${requestId} could not be purged: ${detail}`),
    ],
  };
}

async function settle(
  stack: Stack,
  action: 'redrive' | 'purge',
  ids: readonly string[],
): Promise<z.infer<typeof Results>['results']> {
  const results: z.infer<typeof Results>['results'] = [];
  for (let from = 0; from < ids.length; from += atOnce) {
    const answer: Reply = await call(
      'POST',
      `${stack.url('host')}/api/deadletters/${action}`,
      { 'x-functions-key': stack.functionKey },
      { requestIds: ids.slice(from, from + atOnce) },
    );
    if (answer.status !== 200)
      throw new Error(`${action} was answered ${answer.status}: ${JSON.stringify(answer.json)}`);
    results.push(...Results.parse(answer.json).results);
  }
  return results;
}

/** What became of those that were redriven: their agent came, whether or not a job still waited for it. */
export const auditRedriven = (
  redriven: readonly string[],
  rows: readonly RequestRow[],
): readonly string[] => {
  const states = new Map(
    rows.map(({ requestId, state, failureCode }) => [requestId, { state, failureCode }]),
  );
  return redriven.flatMap(requestId => {
    const { state, failureCode } = states.get(requestId) ?? { state: 'gone', failureCode: undefined };
    return state === 'completed' || state === 'expired'
      ? []
      : [
          `Request ${requestId} was redriven when nothing failed any more, and is ${state} (${failureCode ?? 'no failure'}).`,
        ];
  });
};

/** Letters that are still in the queue although every one of them was redriven or purged. */
export const auditQueue = (left: number): readonly string[] =>
  left === 0 ? [] : [`${left} dead letters are still in their queue although all were redriven or purged.`];
