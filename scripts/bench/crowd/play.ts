import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';
import { agentPool } from '../world.js';

const Started = z.object({ runId: z.string() });
const States = z.record(z.string(), z.number());

/** Calls of the control API at once; the pipelines themselves ask without waiting for one another. */
const atOnce = 64;
const lookEveryMs = 200;
/** Nothing has changed for so long: the rest is lost. */
export const patienceMs = 3 * 60_000;

/** A pipeline whose server job asks for an agent and waits, and whose other job only that agent can run. */
const definition = (stack: Stack, steps: readonly Step[]): string =>
  JSON.stringify({
    request: {
      function: `${stack.url('host')}/api/agents`,
      key: stack.functionKey,
      body: JSON.stringify({ capabilities: { BENCH_BUILD: '$(Build.BuildId)' } }),
      waitForCompletion: true,
    },
    job: {
      pool: agentPool,
      demands: ['BENCH_BUILD -equals $(Build.BuildId)'],
      steps,
    },
  });

export interface Step {
  readonly displayName: string;
  readonly script: string;
}

/**
 * Starts so many runs at once.
 *
 * @param steps of their jobs; default: none, as a shell for each job would weigh more than all that is measured
 * @returns their ids once all have been started
 */
export async function playRuns(
  stack: Stack,
  count: number,
  signal: AbortSignal,
  steps: readonly Step[] = [],
): Promise<readonly string[]> {
  const limit = pLimit(atOnce);
  const body = definition(stack, steps);
  return Promise.all(
    Array.from({ length: count }, () =>
      limit(async () => {
        // Not given to each call: thousands at once would all listen to it.
        signal.throwIfAborted();
        const response = await fetch(`${stack.url('devops')}/_local/runs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        if (!response.ok) throw new Error(`A run was not started: ${await response.text()}`);
        return Started.parse(await response.json()).runId;
      }),
    ),
  );
}

/** Waits until no run goes on any more; @returns what is left if nothing has changed for minutes. */
export async function untilOver(stack: Stack, signal: AbortSignal): Promise<string | undefined> {
  let before = '';
  let lastChange = Date.now();
  for (;;) {
    const response = await fetch(`${stack.url('devops')}/_local/run-states`);
    const states = States.parse(await response.json());
    const { completed: _over, ...going } = states;
    if (Object.keys(going).length === 0) return undefined;
    const now = JSON.stringify(states);
    if (now !== before) lastChange = Date.now();
    before = now;
    if (Date.now() - lastChange > patienceMs) {
      return Object.entries(going)
        .map(([state, count]) => `${count} ${state}`)
        .join(', ');
    }
    await sleep(lookEveryMs, undefined, { signal });
  }
}
