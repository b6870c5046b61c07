import type { ShownRequest } from '../client.js';
import { flat, hang, print, printStyled, time } from '../output.js';
import { failureOf } from './describe.js';
import { type Display, ignore } from './display.js';

type Entry = ShownRequest['history'][number];

/** One line for each line of history, once. */
export function plainLines(): Display {
  let seen: readonly Entry[] = [];
  let failureTold = false;
  return {
    show(request) {
      for (const entry of newEntries(seen, request.history)) print(lineOf(entry));
      seen = request.history;
      if (request.endedAt === null || failureTold) return;
      failureTold = true;
      const failure = failureOf(request);
      if (failure !== '') printStyled(failure);
    },
    finish: ignore,
    close: ignore,
  };
}

const lineOf = ({ at, state, attempt, detail }: Entry): string =>
  hang(`${time(at)}  ${state.padEnd(12)}  attempt ${attempt}  `, flat(detail));

/** A history that has grown too long has lost its oldest lines, so what is new is what comes after the last one seen. */
export function newEntries(seen: readonly Entry[], now: readonly Entry[]): readonly Entry[] {
  const last = JSON.stringify(seen.at(-1));
  return now.slice(now.findLastIndex(entry => JSON.stringify(entry) === last) + 1);
}
