import { EventType } from '../../local/host/durable/events.js';
import { hasEnded, Store } from '../../local/host/durable/store.js';
import { createLog } from '../../local/host/log.js';
import { openTable } from '../../local/host/storage.js';
import type { Stack } from '../../local/stack/stack.js';

export interface InstanceCost {
  /** How often the orchestrator ran. */
  readonly episodes: number;
  /** How many activities it had run, repeated tries included. */
  readonly activities: number;
  readonly events: number;
  /** Of the events as JSON, with their inputs and results. */
  readonly bytes: number;
}

/** The hub of host.json on this machine. */
const hubTable = 'AzDOBatchAgentsInstances';

/**
 * What orchestrations that are over have left in the task hub: one row an episode, with the events that it added.
 *
 * @throws when one is not over, or not known
 */
export async function instanceCosts(
  { settings }: Pick<Stack, 'settings'>,
  instanceIds: readonly string[],
): Promise<readonly InstanceCost[]> {
  const table = openTable(settings['AzureWebJobsStorage'] ?? '', hubTable);
  const store = new Store(table, createLog({ default: 'none' }), () => {});
  return Promise.all(
    instanceIds.map(async instanceId => {
      const stored = await store.read(instanceId);
      if (stored === undefined) throw new Error(`There is no orchestration ${instanceId}.`);
      const { events, episode, record } = stored;
      if (!hasEnded(record.runtimeStatus))
        throw new Error(`Orchestration ${instanceId} is ${record.runtimeStatus}.`);
      return {
        episodes: episode,
        activities: events.filter(({ EventType: type }) => type === EventType.TaskScheduled).length,
        events: events.length,
        bytes: Buffer.byteLength(JSON.stringify(events)),
      };
    }),
  );
}
