import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentAlone } from '../../../scripts/local/batch/agent-image.js';
import type { ImageCommands } from '../../../scripts/local/batch/images.js';
import type { Stack, StackOptions } from '../../../scripts/local/stack/stack.js';
import { openStack } from '../../support/stack.js';
import { makeTempFolder } from '../../support/temp-folder.js';
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
  /** Start agents by the start script of their image, as the product does: four times the work of an agent alone. */
  readonly startScript?: boolean;
  readonly onEvent?: StackOptions['onEvent'];
}

/** The whole product on one machine, quick: the watch looks three times a second, nodes boot at once. */
export async function openWorld(
  options: WorldOptions = {},
): Promise<{ readonly stack: Stack; readonly end: () => Promise<void> }> {
  const folder = await makeTempFolder('world-');
  const images = join(folder.path, 'images.json');
  const alone: ImageCommands = [{ image: '*azdo-agent:*', command: [...agentAlone] }];
  await writeFile(images, JSON.stringify(alone));
  const { stack, end: endStack } = await openStack({
    settings: {
      WatchSeconds: '0.3',
      AgentProfiles: JSON.stringify({ ...profiles, ...options.profiles }),
      ...options.settings,
    },
    args: {
      ...options.args,
      batch: [...(options.startScript ? [] : ['--images', images]), ...(options.args?.batch ?? [])],
      devops: [
        '--pools',
        [...Object.values(pools), ...(options.agentPools ?? [])].join(','),
        ...(options.args?.devops ?? []),
      ],
    },
    ...(options.app === undefined ? {} : { app: options.app }),
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
  }).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  const end = async (): Promise<void> => {
    try {
      await endStack();
    } finally {
      await folder.remove();
    }
  };
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
