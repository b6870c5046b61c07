import { randomUUID } from 'node:crypto';
import { app, type HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import { AgentTask, openAgentTasks } from '../article/agent-task.js';
import { readBody } from '../article/body.js';
import { readSettings } from '../article/settings.js';
import {
  LookInput,
  type MonitorInput,
  names,
  Pipeline,
  type Seen,
  TellInput,
  WantedAgent,
} from './contract.js';
import { openDevOps, tellPipeline } from './devops.js';
import { monitorAgent } from './monitor-agent.js';

/**
 * What a team would build after the article with what Durable Functions documents: one orchestration a request, which
 * looks for itself. It keeps no rows of its own, makes one attempt, has no limit and no dead letters.
 */
const settings = readSettings(process.env);
const tasks = openAgentTasks(settings, 'bench-monitor');
const devOps = openDevOps(settings);
const pollMs = Number(process.env['WatchSeconds'] ?? 5) * 1_000;
const patienceMs = 30 * 60_000;

df.app.orchestration(names.monitor, monitorAgent);

df.app.activity(names.create, {
  handler: async (input: unknown): Promise<AgentTask> => tasks.create(WantedAgent.parse(input)),
});

df.app.activity(names.look, {
  handler: async (input: unknown): Promise<Seen> => {
    const { agentName, task, wasOnline } = LookInput.parse(input);
    const [agent, taskIsOver] = await Promise.all([devOps.look(agentName), tasks.isOver(task)]);
    return { online: agent === 'online', over: taskIsOver || (wasOnline && agent === undefined) };
  },
});

df.app.activity(names.tell, {
  handler: async (input: unknown): Promise<void> => {
    const { pipeline, result } = TellInput.parse(input);
    await tellPipeline(pipeline, result);
  },
});

df.app.activity(names.remove, {
  handler: async (input: unknown): Promise<void> => tasks.remove(AgentTask.parse(input)),
});

app.http('requestAgent', {
  methods: ['POST'],
  route: 'agents',
  authLevel: 'function',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const body = readBody(await request.text());
    if (!body) return { status: 400 };
    const requestId = body.requestId ?? randomUUID();
    const input: MonitorInput = {
      agent: { name: requestId, capabilities: body.capabilities },
      pipeline: pipelineOf(request),
      pollMs,
      patienceMs,
    };
    await df.getClient(context).startNew(names.monitor, { instanceId: requestId, input });
    return { status: 202, jsonBody: { requestId } };
  },
});

function pipelineOf({ headers }: HttpRequest): Pipeline | null {
  const pipeline = Pipeline.safeParse({
    planUrl: headers.get('PlanUrl'),
    projectId: headers.get('ProjectId'),
    hubName: headers.get('HubName'),
    planId: headers.get('PlanId'),
    jobId: headers.get('JobId'),
    taskInstanceId: headers.get('TaskInstanceId'),
    token: headers.get('AuthToken'),
  });
  return pipeline.success ? pipeline.data : null;
}
