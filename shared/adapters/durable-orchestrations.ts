import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';
import * as z from 'zod';
import { watchIdOf } from '../domain/names.js';
import type { Orchestrations } from '../ports.js';

const alive = new Set<unknown>([
  OrchestrationRuntimeStatus.Pending,
  OrchestrationRuntimeStatus.Running,
  OrchestrationRuntimeStatus.ContinuedAsNew,
  OrchestrationRuntimeStatus.Suspended,
]);

/** Many requests of one pool ensure its watch at the same moment; one question serves them all. */
const beingEnsured = new Map<string, Promise<void>>();

/** What the app calls its orchestrations and the event that they wait for. */
export interface OrchestrationNames {
  readonly lifecycle: string;
  readonly watch: string;
  readonly event: string;
  /** Raised to a watch that says of itself that it rests. */
  readonly wake: string;
}

const Resting = z.object({ resting: z.literal(true) });
/** A watch hands the time of its last look to its next round, so its input tells it without another call. */
const Looked = z.object({ memory: z.object({ lookedAt: z.number() }) });

/**
 * The orchestrations behind a Durable Functions client.
 *
 * @param client comes with each invocation and knows the task hub.
 */
export function durableOrchestrations(client: DurableClient, names: OrchestrationNames): Orchestrations {
  const running = async (
    instanceId: string,
  ): Promise<{ readonly input: unknown; readonly customStatus: unknown } | undefined> => {
    try {
      const { runtimeStatus, input, customStatus } = await client.getStatus(instanceId, { showInput: true });
      return alive.has(runtimeStatus) ? { input, customStatus } : undefined;
    } catch (error) {
      if (isUnknownInstance(error)) return undefined;
      throw error;
    }
  };
  const raiseTo = async (instanceId: string, event: string, data: unknown): Promise<boolean> => {
    try {
      await client.raiseEvent(instanceId, event, data);
      return true;
    } catch (error) {
      if (isUnknownInstance(error)) return false;
      throw error;
    }
  };
  const startWatch = async (instanceId: string, devOpsPool: string): Promise<void> => {
    const watch = await running(instanceId);
    if (watch) {
      if (Resting.safeParse(watch.customStatus).success) await raiseTo(instanceId, names.wake, {});
      return;
    }
    try {
      await client.startNew(names.watch, { instanceId, input: { devOpsPool } });
    } catch (error) {
      // Another host was faster: there is a watch, and that is all that was wanted.
      if (!(await running(instanceId))) throw error;
    }
  };

  return {
    async startLifecycle(requestId, input) {
      await client.startNew(names.lifecycle, { instanceId: requestId, input });
    },

    runningLifecycle: running,

    raise: async (requestId, situation) => raiseTo(requestId, names.event, situation),

    async ensureWatch(devOpsPool) {
      const instanceId = watchIdOf(devOpsPool);
      const ensuring =
        beingEnsured.get(instanceId) ??
        startWatch(instanceId, devOpsPool).finally(() => {
          beingEnsured.delete(instanceId);
        });
      beingEnsured.set(instanceId, ensuring);
      await ensuring;
    },

    async watch(devOpsPool) {
      const found = await running(watchIdOf(devOpsPool));
      const looked = Looked.safeParse(found?.input);
      return (
        found && {
          lookedAt: looked.success ? new Date(looked.data.memory.lookedAt).toISOString() : undefined,
        }
      );
    },
  };
}

/** The client tells of a missing instance only in words. */
const isUnknownInstance = (error: unknown): boolean =>
  error instanceof Error && /HTTP 404|No instance with ID/.test(error.message);
