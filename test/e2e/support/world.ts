import type { Stack, StackOptions } from '../../../scripts/local/stack/stack.js';
import { openStack } from '../../support/stack.js';
import { waitFor } from '../../support/wait-for.js';

/** The agent pools that the profiles below name. */
export const pools = { ubuntu: 'AzDOUbuntu', windows: 'AzDOWindows', hasty: 'AzDOHasty' } as const;

/** Profiles as an operator would write them, hurried where a user would have to wait. */
const profiles = {
  ubuntu: { devOpsPool: pools.ubuntu, batchPool: 'batchLinux', image: 'azdo-agent:ubuntu-24.04-azdo' },
  windows: {
    devOpsPool: pools.windows,
    batchPool: 'batchWindows',
    image: 'azdo-agent:windows-core-ltsc2022-azdo',
    os: 'windows',
  },
} as const;

export interface WorldOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Folder of another build of the app. */
  readonly app?: string;
  /** Further profiles, by name. */
  readonly profiles?: Readonly<Record<string, object>>;
  /** Further agent pools that Azure DevOps has. */
  readonly agentPools?: readonly string[];
  readonly args?: StackOptions['args'];
  readonly onEvent?: StackOptions['onEvent'];
}

/** The whole product on one machine, quick: the watch looks three times a second, nodes boot at once. */
export async function openWorld(
  options: WorldOptions = {},
): Promise<{ readonly stack: Stack; readonly end: () => Promise<void> }> {
  const { stack, end } = await openStack({
    settings: {
      WatchSeconds: '0.3',
      AgentProfiles: JSON.stringify({ ...profiles, ...options.profiles }),
      ...options.settings,
    },
    args: {
      ...options.args,
      devops: [
        '--pools',
        [...Object.values(pools), ...(options.agentPools ?? [])].join(','),
        ...(options.args?.devops ?? []),
      ],
    },
    ...(options.app === undefined ? {} : { app: options.app }),
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
  });
  try {
    for (const id of ['batchLinux', 'batchWindows']) await changeBatchPool(stack, id, { bootMs: 0 });
    // It looks after the placeholders of the pools: a test that counts calls must not count those.
    await waitFor('the app to have looked around', () =>
      /'Functions\.reconcile' \(/.test(stack.output('host')),
    );
    return { stack, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** What the cloud does to a Batch pool: nodes that boot slowly, quotas, none at all. */
export async function changeBatchPool(stack: Stack, id: string, change: object): Promise<void> {
  const response = await fetch(`${stack.url('batch')}/_local/pools/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
  });
  if (!response.ok) throw new Error(`Batch pool ${id} was not changed: ${await response.text()}`);
}
