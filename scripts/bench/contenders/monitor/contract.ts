import * as z from 'zod';
import { AgentTask } from '../article/agent-task.js';

/** The server task that waits, as `AzureFunction@1` names it in its headers, and the token to answer it with. */
export const Pipeline = z.object({
  planUrl: z.string(),
  projectId: z.string(),
  hubName: z.string(),
  planId: z.string(),
  jobId: z.string(),
  taskInstanceId: z.string(),
  /** Lies open in the orchestration's history: a plain implementation seals nothing. It is never logged. */
  token: z.string(),
});
export type Pipeline = z.infer<typeof Pipeline>;

export const WantedAgent = z.object({ name: z.string(), capabilities: z.record(z.string(), z.string()) });

export const MonitorInput = z.object({
  agent: WantedAgent,
  pipeline: Pipeline.nullable(),
  pollMs: z.number().positive(),
  /** After so long it gives up. */
  patienceMs: z.number().positive(),
});
export type MonitorInput = z.infer<typeof MonitorInput>;

export const LookInput = z.object({ agentName: z.string(), task: AgentTask, wasOnline: z.boolean() });
export const Seen = z.object({ online: z.boolean(), over: z.boolean() });
export type Seen = z.infer<typeof Seen>;
export const TellInput = z.object({ pipeline: Pipeline, result: z.enum(['succeeded', 'failed']) });

/** Durable's names of what the app registers. */
export const names = {
  monitor: 'monitorAgent',
  create: 'createAgentTask',
  look: 'lookAtAgent',
  tell: 'tellPipeline',
  remove: 'removeAgentTask',
} as const;
