import type { Stack } from '../../local/stack/stack.js';
import { type AppName, batchPool, openWorld } from '../world.js';
import { playRuns, untilOver } from './play.js';

export interface CrowdOptions {
  readonly app: AppName;
  readonly folder: string;
  /** How many agents may run at once. */
  readonly agents: number;
  readonly watchSeconds: number;
  readonly signal: AbortSignal;
}

const slotsPerNode = 250;
/** Pipelines, agents, Azure and the app share one machine here: what comes late is told of, and not cut off. */
const answerTimeoutSeconds = 600;

/**
 * A world for many agents at once: they run inside the local Batch, whose pool has room for all of them at once, so that no
 * waiting for a machine is measured. One pipeline has been through it: everything is loaded and connected.
 */
export async function openCrowd({ app, folder, agents, watchSeconds, signal }: CrowdOptions): Promise<Stack> {
  const stack = await openWorld({
    app,
    folder,
    signal,
    settings: { WatchSeconds: String(watchSeconds) },
    args: {
      batch: ['--runner', 'inline'],
      devops: ['--answer-timeout', String(answerTimeoutSeconds)],
    },
  });
  try {
    const response = await fetch(`${stack.url('batch')}/_local/pools/${batchPool}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        bootMs: 0,
        idleMs: 3_600_000,
        taskSlotsPerNode: slotsPerNode,
        maxNodes: Math.ceil((agents + 1) / slotsPerNode),
      }),
    });
    if (!response.ok) throw new Error(`The Batch pool was not changed: ${await response.text()}`);
    await playRuns(stack, 1, signal);
    const left = await untilOver(stack, signal);
    if (left !== undefined) throw new Error(`The first pipeline did not come through: ${left}`);
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
