import { setTimeout as sleep } from 'node:timers/promises';
import { AppAway } from './command-error.js';
import { remark } from './output.js';

const againMs = 1_000;

/** Does a call, again if need be; then it should not wait for long, to tell soon that the app is back. */
export type Patiently = <T>(call: (again: boolean) => Promise<T>) => Promise<T>;

/**
 * For what follows the app for long: it outlives a restart of the app, with a notice on stderr. An app that has never
 * answered is not waited for: most likely its URL is wrong.
 *
 * @param reached it has answered already.
 */
export function createPatience(patienceSeconds: number, reached: boolean): Patiently {
  let answered = reached;
  return async call => {
    let awaySince: number | undefined;
    for (;;) {
      try {
        const answer = await call(awaySince !== undefined);
        answered = true;
        if (awaySince !== undefined) remark('The app answers again.');
        return answer;
      } catch (error) {
        if (!(error instanceof AppAway) || !answered) throw error;
        if (awaySince === undefined) {
          awaySince = Date.now();
          remark(`${error.message} Trying again for ${patienceSeconds} s.`);
        }
        if (Date.now() - awaySince >= patienceSeconds * 1_000) throw error;
      }
      await sleep(againMs);
    }
  };
}
