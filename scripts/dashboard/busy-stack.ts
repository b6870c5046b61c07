import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack } from '../local/stack/stack.js';
import { type MadeUp, seedMadeUp } from './made-up-requests.js';
import { makeTasks } from './made-up-tasks.js';

const kinds: readonly MadeUp[] = [
  {
    profile: 'ubuntu',
    devOpsPool: 'Private Linux',
    batchPool: 'batchLinux',
    toOnline: [18, 70],
    weight: 6,
    nodes: 10,
  },
  {
    profile: 'ubuntu-large',
    devOpsPool: 'Private Linux',
    batchPool: 'batchLarge',
    toOnline: [35, 260],
    weight: 2,
    nodes: 4,
  },
  {
    profile: 'windows',
    devOpsPool: 'Private Windows',
    batchPool: 'batchWindows',
    toOnline: [70, 280],
    weight: 2,
    nodes: 4,
  },
];
const profiles = Object.fromEntries(
  kinds.map(({ profile, devOpsPool, batchPool }) => [
    profile,
    {
      devOpsPool,
      batchPool,
      image: 'azdo-agent:ubuntu-24.04-azdo',
      os: profile === 'windows' ? 'windows' : 'linux',
      maxWaiting: 100_000,
    },
  ]),
);

/**
 * The one-machine stack with made-up requests in its table, on free ports and in a folder of its own; all of it is
 * gone afterwards.
 */
export async function withBusyStack(
  {
    count,
    spreadMs,
    withTasks = false,
    signal,
  }: {
    readonly count: number;
    readonly spreadMs: number;
    /** Those that live have a Batch task each, so that nodes have something to run. */
    readonly withTasks?: boolean;
    readonly signal: AbortSignal;
  },
  work: (stack: Stack) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'azdo-batch-agents-page-'));
  try {
    const stack = await startStack({
      dataDir,
      settings: { AgentProfiles: JSON.stringify(profiles) },
      args: { devops: ['--pools', 'Private Linux,Private Windows'], batch: ['--runner', 'inline'] },
      signal,
    });
    try {
      for (const kind of kinds) await makePool(stack, kind);
      const requests = await seedMadeUp(stack, kinds, { count, spreadMs });
      if (withTasks) await makeTasks(stack, requests);
      await work(stack);
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A profile whose Batch pool is not there would be told as a problem. */
async function makePool(stack: Pick<Stack, 'url'>, { batchPool: id, nodes }: MadeUp): Promise<void> {
  const response = await fetch(`${stack.url('batch')}/_local/pools/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ bootMs: 0, taskSlotsPerNode: 1, maxNodes: nodes }),
  });
  if (!response.ok) throw new Error(`Batch pool ${id} was not made: ${await response.text()}`);
}

/** Where the operators' page of a stack is opened. */
export const pageUrl = (stack: Pick<Stack, 'url' | 'functionKey'>): string =>
  `${stack.url('host')}/api/dashboard?code=${encodeURIComponent(stack.functionKey)}`;
