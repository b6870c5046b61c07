import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PartName } from '../local/stack/plan.js';
import { type Stack, startStack } from '../local/stack/stack.js';

/** One agent pool a profile: in a common one, a job that demands nothing would take somebody else's agent. */
export const agentPools = { ubuntu: 'ChaosUbuntu', quick: 'ChaosQuick', article: 'ChaosArticle' } as const;
export const replyQueue = 'chaos-replies';
export const batchPool = 'batchLinux';

/** As an operator would write them, hurried. Agents are processes: more than a few at once would only wait for the CPU. */
const profiles = {
  // Long enough for a job to find its agent although Azure DevOps was killed meanwhile.
  ubuntu: { devOpsPool: agentPools.ubuntu, idleMinutes: 0.2 },
  // For requests that no job belongs to: all of them expire.
  quick: { devOpsPool: agentPools.quick, idleMinutes: 0.05 },
  article: { devOpsPool: agentPools.article, idleMinutes: 0.2 },
} as const;
const common = { batchPool, image: 'azdo-agent:ubuntu-24.04-azdo', attempts: 3, timeoutMinutes: 2 };
const agentsAtOnce = { maxNodes: 2, taskSlotsPerNode: 4, bootMs: 0 } as const;

export interface World {
  readonly stack: Stack;
  /** Where everything that a part printed is kept: `logs/{part}.log`. */
  readonly logFile: (part: PartName) => string;
  /** Parts that ended and were not killed, as sentences. */
  readonly lost: readonly string[];
}

/** Starts the whole product in a folder. */
export async function openWorld(dataDir: string, seed: number, signal: AbortSignal): Promise<World> {
  const logs = join(dataDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const logFile = (part: PartName): string => join(logs, `${part}.log`);
  const lost: string[] = [];
  const stack = await startStack({
    dataDir,
    seed,
    storageFaults: true,
    signal,
    settings: {
      WatchSeconds: '0.5',
      ReplyQueues: replyQueue,
      AgentProfiles: JSON.stringify(
        Object.fromEntries(
          Object.entries(profiles).map(([name, profile]) => [name, { ...common, ...profile }]),
        ),
      ),
      AgentOSTypes: JSON.stringify({ 'ubuntu-20.04': { profile: 'article', tag: 'ubuntu-20.04-azdo' } }),
    },
    args: {
      storage: ['--save-every-write'],
      devops: ['--pools', Object.values(agentPools).join(','), '--lock', '8', '--offline-after', '4'],
      batch: ['--runner', 'process'],
    },
    onEvent: event => {
      if (event.type === 'line') appendFileSync(logFile(event.part), `${event.line}\n`);
      if (event.type === 'lost')
        lost.push(`The ${event.part} ended and nobody had killed it: ${event.reason}`);
    },
  });
  try {
    const response = await fetch(`${stack.url('batch')}/_local/pools/${batchPool}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(agentsAtOnce),
    });
    if (!response.ok) throw new Error(`The Batch pool was not changed: ${await response.text()}`);
  } catch (error) {
    await stack.stop().catch(() => undefined);
    throw error;
  }
  return {
    stack,
    logFile,
    lost,
  };
}
