import { getBearerHandler, getPersonalAccessTokenHandler, WebApi } from 'azure-devops-node-api';
import { TaskAgentStatus } from 'azure-devops-node-api/interfaces/TaskAgentInterfaces.js';
import type { ITaskAgentApi } from 'azure-devops-node-api/TaskAgentApi.js';
import type { Settings } from '../article/settings.js';
import type { Pipeline } from './contract.js';

/** The name of a product alone is left out by the client's typed methods. */
const sender = { productName: 'bench-monitor', productVersion: '1', userAgent: 'bench-monitor' } as const;

export function openDevOps({ AzDOUrl, AzDOToken, AzDOUbuntuPool }: Settings) {
  const organisation = new WebApi(
    AzDOUrl.replace(/\/+$/, ''),
    getPersonalAccessTokenHandler(AzDOToken),
    { keepAlive: true },
    sender,
  );
  const open = async (): Promise<{ readonly api: ITaskAgentApi; readonly poolId: number }> => {
    const api = await organisation.getTaskAgentApi();
    const pools = await api.getAgentPools(AzDOUbuntuPool);
    const poolId = pools.find(({ name }) => name === AzDOUbuntuPool)?.id;
    if (poolId === undefined) throw new Error(`There is no agent pool ${AzDOUbuntuPool}.`);
    return { api, poolId };
  };
  let opened: ReturnType<typeof open> | undefined;

  return {
    /** @returns undefined when no agent of that name is registered. */
    look: async (agentName: string): Promise<'online' | 'offline' | undefined> => {
      opened ??= open();
      const { api, poolId } = await opened.catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      const agents = await api.getAgents(poolId, agentName);
      const agent = agents.find(({ name }) => name === agentName);
      if (!agent) return undefined;
      return agent.status === TaskAgentStatus.Online ? 'online' : 'offline';
    },
  };
}

/** Ends the server task that waits; one that nobody waits for any more is refused, which changes nothing here. */
export async function tellPipeline(pipeline: Pipeline, result: 'succeeded' | 'failed'): Promise<void> {
  const { planUrl, projectId, hubName, planId, jobId, taskInstanceId, token } = pipeline;
  const { rest } = new WebApi(planUrl, getBearerHandler(token), undefined, sender);
  await rest.create(
    `${planUrl.replace(/\/+$/, '')}/${projectId}/_apis/distributedtask/hubs/${hubName}/plans/${planId}/events` +
      '?api-version=2.0-preview.1',
    { name: 'TaskCompleted', taskId: taskInstanceId, jobId, result },
  );
}
