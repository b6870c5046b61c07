import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import * as z from 'zod';
import type { Settings } from './settings.js';

/** Where a task is. */
export const AgentTask = z.object({ jobId: z.string(), taskId: z.string() });
export type AgentTask = z.infer<typeof AgentTask>;

export interface WantedAgent {
  /** Of the agent and of its task. */
  readonly name: string;
  /** Given to the container beside what it needs itself, so that a job can demand it. */
  readonly capabilities: Readonly<Record<string, string>>;
}

const jobId = 'AzDoLinux';
const poolId = 'batchLinux';
const image = 'azdo-agent:ubuntu-24.04-azdo';

/**
 * What stands in the article: one shared job that never ends, and in it a task a call, whose container is the agent.
 *
 * @param client what the calls name as their sender
 */
export function openAgentTasks(settings: Settings, client: string) {
  const batch = new BatchServiceClient(
    new BatchSharedKeyCredentials(settings.BatchAccountName, settings.BatchAccountKey),
    settings.BatchAccountUrl.replace(/\/+$/, ''),
    { userAgent: standard => `${client} ${standard}` },
  );
  let job: Promise<void> | undefined;

  const addJob = async (): Promise<void> => {
    try {
      await batch.job.add({ id: jobId, poolInfo: { poolId }, onAllTasksComplete: 'noaction' });
    } catch (error) {
      if (codeOf(error) !== 'JobExists') throw error;
    }
  };
  /** Once a process: nobody would pay for a call that every request repeats. */
  const ensureJob = async (): Promise<void> => {
    job ??= addJob();
    try {
      await job;
    } catch (error) {
      job = undefined;
      throw error;
    }
  };

  return {
    /** The task may be there already: then it is from an earlier run of the same step. */
    create: async ({ name, capabilities }: WantedAgent): Promise<AgentTask> => {
      await ensureJob();
      const environment = {
        ...capabilities,
        AZDO_URL: settings.AzDOUrl,
        AZDO_TOKEN: settings.AzDOToken,
        AZDO_POOL: settings.AzDOUbuntuPool,
        AZDO_AGENT: name,
        AZDO_AGENT_DISPOSE: 'true',
      };
      try {
        await batch.task.add(jobId, {
          id: name,
          commandLine: '',
          containerSettings: {
            imageName: `${settings.ContainerRegistryServer}/${image}`,
            workingDirectory: 'containerImageDefault',
          },
          environmentSettings: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
          userIdentity: { autoUser: { scope: 'task', elevationLevel: 'admin' } },
        });
      } catch (error) {
        if (codeOf(error) !== 'TaskExists') throw error;
      }
      return { jobId, taskId: name };
    },

    /** Whether the container has ended, or its task is gone. */
    isOver: async (task: AgentTask): Promise<boolean> => {
      try {
        const { state } = await batch.task.get(task.jobId, task.taskId);
        return state === 'completed';
      } catch (error) {
        if (codeOf(error) !== 'TaskNotFound') throw error;
        return true;
      }
    },

    remove: async (task: AgentTask): Promise<void> => {
      try {
        await batch.task.deleteMethod(task.jobId, task.taskId);
      } catch (error) {
        if (codeOf(error) !== 'TaskNotFound') throw error;
      }
    },
  };
}

const BatchError = z.object({ body: z.object({ code: z.string() }) });

const codeOf = (error: unknown): string | undefined => BatchError.safeParse(error).data?.body.code;
