import { groupBy } from '../../group-by.js';
import type { DeadLetter, Evidence, RequestRow } from '../evidence.js';
import { isDisturbed } from './disturbances.js';
import { rowsOf } from './ends.js';

/** A letter says when it was written; it was sent, and sent again, a little later. */
const soonAfter = (at: string): string => new Date(Date.parse(at) + sendingMs).toISOString();
const sendingMs = 2_000;

/** What has a step of the app done again. */
const isStep = (part: string): boolean => part === 'storage' || part === 'devops';

const generationOf = ({ requestId, generation }: Pick<DeadLetter, 'requestId' | 'generation'>): string =>
  `${requestId}#${generation}`;

/** Every request that was given up has its dead letter, with the original byte for byte, and no other has one. */
export function auditDeadLetters(evidence: Evidence): readonly string[] {
  const letters = groupBy(evidence.deadLetters, generationOf);
  const givenUp = evidence.rows.filter(({ state }) => state === 'deadLettered');
  const known = new Set(givenUp.map(generationOf));
  const generations = new Map(evidence.rows.map(row => [row.requestId, row.generation]));
  return [
    ...givenUp.flatMap(row => auditLetters(evidence, row, letters.get(generationOf(row)) ?? [])),
    ...evidence.deadLetters
      .filter(
        letter =>
          !known.has(generationOf(letter)) && letter.generation >= (generations.get(letter.requestId) ?? 0),
      )
      .map(({ requestId }) => `There is a dead letter of request ${requestId}, which was not given up.`),
    ...auditMessages(evidence),
  ];
}

function auditLetters(
  evidence: Evidence,
  row: RequestRow,
  letters: readonly DeadLetter[],
): readonly string[] {
  const { requestId, failureCode = '?' } = row;
  const [first, ...more] = letters;
  if (!first)
    return [`Request ${requestId} is dead-lettered (${failureCode}), but there is no dead letter of it.`];
  return [
    ...letters
      .filter(letter => letter.failureCode !== failureCode)
      .map(
        letter =>
          `Request ${requestId} failed with ${failureCode}, its dead letter says ${letter.failureCode}.`,
      ),
    ...letters
      .filter(({ message }) => message !== undefined && message !== row.message)
      .map(() => `The dead letter of request ${requestId} does not carry its message byte for byte.`),
    ...more
      .filter(letter => !isDisturbed(evidence, first.at, soonAfter(letter.at), isStep))
      .map(
        ({ at }) =>
          `Request ${requestId} was dead-lettered again at ${at}, and nothing had happened to the first.`,
      ),
  ];
}

/** A message of another system is kept as it was sent. */
function auditMessages({ asked, rows }: Evidence): readonly string[] {
  return asked.flatMap(one => {
    if (one.message === undefined) return [];
    const bytes = Buffer.from(one.message).toString('base64');
    return rowsOf(one, rows)
      .filter(({ message }) => message !== bytes)
      .map(({ requestId }) => `Request ${requestId} does not keep its message byte for byte.`);
  });
}
