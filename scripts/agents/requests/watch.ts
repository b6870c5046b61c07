import { endStates } from '../../../shared/domain/request.js';
import type { AgentsClient, ShownRequest } from '../client.js';
import { isLively, printJsonLine } from '../output.js';
import { createPatience } from '../patience.js';
import { followUntilInterrupted } from '../until-interrupted.js';
import { type Display, ignore } from './display.js';
import { plainLines } from './plain-lines.js';

export interface WatchOptions {
  readonly json: boolean;
  /** Show nothing on the way. */
  readonly quiet?: boolean;
  /** How long an app that has gone away is waited for, in seconds. */
  readonly patience: number;
  /** `online`: as soon as it is online, or can't be any more. */
  readonly until: 'online' | 'end';
}

/** States are told at once; what is noted within a state when the app is asked again. */
const waitSeconds = 5;

const isOver = ({ state }: ShownRequest, until: WatchOptions['until']): boolean =>
  endStates.some(end => end === state) || (until === 'online' && (state === 'online' || state === 'busy'));

/** @returns the request as it is when there is nothing more to wait for. */
export async function watch(
  client: AgentsClient,
  first: ShownRequest,
  options: WatchOptions,
): Promise<ShownRequest> {
  const display = await displayFor(options);
  const patiently = createPatience(options.patience, true);
  return followUntilInterrupted(
    () => display.close(),
    async () => {
      let request = first;
      display.show(request);
      while (!isOver(request, options.until)) {
        request = await patiently(async again => client.request(first.requestId, again ? 0 : waitSeconds));
        display.show(request);
      }
      display.finish();
      return request;
    },
  );
}

async function displayFor({ json, quiet = false }: WatchOptions): Promise<Display> {
  if (quiet) return { show: ignore, finish: ignore, close: ignore };
  if (json) return jsonLines();
  if (!isLively()) return plainLines();
  const { progress } = await import('./progress.js');
  return progress();
}

/** The whole request, whenever it is another. */
function jsonLines(): Display {
  let last = '';
  return {
    show(request) {
      const text = JSON.stringify([request.state, request.updatedAt, request.history]);
      if (text !== last) printJsonLine(request);
      last = text;
    },
    finish: ignore,
    close: ignore,
  };
}
