import { expand, predefined, type Variables } from './macros.js';
import type { Message } from './sessions.js';
import type { AgentJob, JobRequest, Run } from './state.js';

/** The message that gives a job to an agent. It is built anew for each delivery and kept nowhere: it holds a token. */
export function jobMessage(
  run: Run,
  job: AgentJob,
  request: JobRequest,
  messageId: number,
  collectionUri: string,
  token: string,
  outputs: Variables,
): Message {
  const variables: Variables = {
    ...outputs,
    ...predefined(run, run.agentJobId, collectionUri),
    'Agent.Name': request.agent?.name ?? '',
    'System.JobName': request.jobName,
    'System.JobDisplayName': request.jobName,
  };
  return {
    messageId,
    messageType: 'PipelineAgentJobRequest',
    body: JSON.stringify({
      plan: { planId: run.planId, scopeIdentifier: run.projectId, planType: 'Build' },
      timeline: { id: run.timelineId },
      jobId: run.agentJobId,
      jobDisplayName: request.jobName,
      requestId: request.id,
      lockedUntil: request.lockedUntil,
      resources: {
        endpoints: [
          {
            name: 'SystemVssConnection',
            url: collectionUri,
            authorization: { scheme: 'OAuth', parameters: { AccessToken: token } },
          },
        ],
      },
      variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { value }])),
      steps: job.steps.map((step, index) => ({
        id: run.stepIds[index],
        displayName: expand(step.displayName, variables),
        script: expand(step.script, variables),
      })),
    }),
  };
}

export const cancelMessage = (run: Run, messageId: number): Message => ({
  messageId,
  messageType: 'JobCancellation',
  body: JSON.stringify({ jobId: run.agentJobId, timeout: '00:01:00' }),
});
