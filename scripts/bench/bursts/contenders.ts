import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../local/stack/stack.js';
import type { Bench } from '../figure.js';
import { type AppName, batchPool, openWorld } from '../world.js';
import { type Burster, startBurster } from './burster.js';

/** A contender whose intake can be called. */
export interface Intake {
  readonly burster: Burster;
  /** Waits until nothing of what was asked for before is being worked on. */
  readonly settle: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** So long without a line of the host is called quiet; a host that says so much is not waited for any longer. */
const quietMs = 700;
const patienceMs = 30_000;

/** Opens a world of an app in which no agent will ever come, and calls it once. */
export async function openApp(bench: Bench, app: AppName, route: string, folder: string): Promise<Intake> {
  const { signal } = bench;
  let lastLine = performance.now();
  const world = await openWorld({
    app,
    folder,
    signal,
    onEvent: event => {
      if (event.type === 'line' && event.part === 'host') lastLine = performance.now();
    },
  });
  const end = async (): Promise<void> => {
    // It has a backlog that nobody needs any more, and would try to end it well.
    await world.kill('host');
    await world.stop();
  };
  try {
    await keepEmpty(world.url('batch'));
    const burster = await startBurster(
      'caller',
      {
        type: 'setup',
        url: `${world.url('host')}${route}`,
        headers: { 'x-functions-key': world.functionKey },
        body: JSON.stringify({ profile: 'ubuntu' }),
      },
      signal,
    );
    return {
      burster,
      settle: async () => {
        const until = performance.now() + patienceMs;
        while (performance.now() < until && performance.now() - lastLine < quietMs) {
          await sleep(50, undefined, { signal });
        }
      },
      end: async () => {
        await burster.end();
        await end();
      },
    };
  } catch (error) {
    await end().catch(() => undefined);
    throw error;
  }
}

/** The bare work, on storage of the same make. */
export async function openFloor({ signal }: Bench, folder: string): Promise<Intake> {
  const storage = await startStack({ dataDir: folder, parts: ['storage'], signal });
  try {
    const connectionString = storage.settings['AzureWebJobsStorage'] ?? '';
    const burster = await startBurster('floor', { type: 'setup', connectionString }, signal);
    return {
      burster,
      // Nobody takes what it has put down.
      settle: async () => {},
      end: async () => {
        await burster.end();
        await storage.stop();
      },
    };
  } catch (error) {
    await storage.stop().catch(() => undefined);
    throw error;
  }
}

/** A Batch pool that never gets a node: agents that start would be measured, too. */
async function keepEmpty(batchUrl: string): Promise<void> {
  const response = await fetch(`${batchUrl}/_local/pools/${batchPool}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ maxNodes: 0 }),
  });
  if (!response.ok) throw new Error(`Batch pool ${batchPool} was not changed: ${await response.text()}`);
}
