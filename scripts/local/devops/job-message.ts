import { expand, type Variables } from './macros.js';
import type { AgentWork, Job, JobRequest, Run } from './rows.js';
import type { Message } from './sessions.js';

/** What a job may use, and its agent's steps may see. */
export interface JobMatter {
  readonly token: string;
  /** Set by functions on the jobs before it. */
  readonly outputs: Variables;
  /** Environment of its steps. */
  readonly open: Variables;
  /** The same with secret ones, which expand where the author names them and are in no environment. */
  readonly all: Variables;
}

/** The message that gives a job to an agent. It is built anew for each delivery and kept nowhere: it holds a token. */
export function jobMessage(
  run: Run,
  job: Job,
  work: AgentWork,
  request: JobRequest,
  messageId: number,
  collectionUri: string,
  { token, outputs, open, all }: JobMatter,
): Message {
  const agentName = { 'Agent.Name': request.agent?.name ?? '' };
  const environment: Variables = { ...outputs, ...open, ...agentName };
  const variables: Variables = { ...outputs, ...all, ...agentName };
  return {
    messageId,
    messageType: 'PipelineAgentJobRequest',
    body: JSON.stringify({
      plan: { planId: run.planId, scopeIdentifier: run.projectId, planType: 'Build' },
      timeline: { id: run.timelineId },
      jobId: job.id,
      jobDisplayName: job.displayName,
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
      variables: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, { value }])),
      steps: work.steps.map((step, index) => ({
        id: job.taskIds[index],
        displayName: expand(step.displayName, variables),
        script: expand(step.script, variables),
        shell: step.shell ?? 'default',
        env: Object.fromEntries(
          Object.entries(step.env ?? {}).map(([name, value]) => [name, expand(value, variables)]),
        ),
      })),
    }),
  };
}

export const cancelMessage = (job: Job, messageId: number): Message => ({
  messageId,
  messageType: 'JobCancellation',
  body: JSON.stringify({ jobId: job.id, timeout: '00:01:00' }),
});
