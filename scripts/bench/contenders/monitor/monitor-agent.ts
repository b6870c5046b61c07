import type { OrchestrationContext, Task } from 'durable-functions';
import { AgentTask } from '../article/agent-task.js';
import { MonitorInput, names, Seen } from './contract.js';

/**
 * The monitor pattern as Durable Functions documents it: look, wait on a durable timer, look again, until it is over or
 * has taken too long. Each look and each pause stays in the history, which every look replays from its beginning.
 */
export function* monitorAgent(context: OrchestrationContext): Generator<Task, void, unknown> {
  const { df } = context;
  const { agent, pipeline, pollMs, patienceMs } = MonitorInput.parse(df.getInput());
  const task = AgentTask.parse(yield df.callActivity(names.create, agent));
  const expiresAt = df.currentUtcDateTime.getTime() + patienceMs;
  let wasOnline = false;
  while (df.currentUtcDateTime.getTime() < expiresAt) {
    const seen = Seen.parse(yield df.callActivity(names.look, { agentName: agent.name, task, wasOnline }));
    if (seen.online && !wasOnline) {
      wasOnline = true;
      if (pipeline) yield df.callActivity(names.tell, { pipeline, result: 'succeeded' });
    }
    if (seen.over) break;
    yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + pollMs));
  }
  if (!wasOnline && pipeline) yield df.callActivity(names.tell, { pipeline, result: 'failed' });
  yield df.callActivity(names.remove, task);
}
