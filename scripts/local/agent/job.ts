import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { agentVersion } from './capabilities.js';
import { Client, Refused } from './client.js';
import { bearerToken } from './credentials.js';
import { RunLogStream } from './run-log.js';
import { runScript, Shell } from './step.js';
import type { Surroundings } from './surroundings.js';

/** A job as the service gives it to an agent. */
export const Job = z.object({
  plan: z.object({ planId: z.string(), scopeIdentifier: z.string() }),
  timeline: z.object({ id: z.string() }),
  jobId: z.string(),
  jobDisplayName: z.string(),
  requestId: z.int(),
  resources: z.object({
    endpoints: z.array(
      z.object({
        name: z.string(),
        authorization: z.object({ parameters: z.object({ AccessToken: z.string() }) }),
      }),
    ),
  }),
  variables: z.record(z.string(), z.object({ value: z.string() })),
  steps: z.array(
    z.object({
      id: z.string(),
      displayName: z.string(),
      script: z.string(),
      shell: Shell.default('default'),
      env: z.record(z.string(), z.string()).default({}),
    }),
  ),
});
export type Job = z.infer<typeof Job>;

export type JobResult = 'succeeded' | 'failed' | 'canceled';

/** Why a job was stopped. */
export type StopReason = 'canceled' | 'shutdown';

/**
 * Runs the steps of a job one after the other, tells the run's log and timeline, and says how it went.
 *
 * @param stop aborted with a {@link StopReason} when the job is canceled or the agent is to end.
 */
export async function runJob(
  job: Job,
  options: {
    readonly url: string;
    readonly agentName: string;
    readonly work: string;
    readonly stop: AbortSignal;
    readonly surroundings: Surroundings;
  },
): Promise<JobResult> {
  const token = job.resources.endpoints.find(endpoint => endpoint.name === 'SystemVssConnection');
  const client = new Client(
    options.url,
    bearerToken(token?.authorization.parameters.AccessToken ?? ''),
    options.surroundings,
  );
  const timeline =
    `/${job.plan.scopeIdentifier}/_apis/distributedtask/hubs/build/plans/${job.plan.planId}` +
    `/timelines/${job.timeline.id}/records`;
  const log = new RunLogStream(client, `${timeline}/${job.jobId}/feed`, options.surroundings.complain);
  const report = async (record: object): Promise<void> => {
    try {
      await client.call('PATCH', timeline, z.unknown(), { body: { value: [record], count: 1 } });
    } catch (error) {
      // The run is over, or will not hear of this record: the job's result is told elsewhere.
      if (!(error instanceof Refused)) throw error;
    }
  };

  const workFolder = path.join(options.work, '1', 's');
  const tempFolder = path.join(options.work, '_temp');
  if (job.steps.length > 0) {
    await rm(workFolder, { recursive: true, force: true });
    await mkdir(workFolder, { recursive: true });
    await mkdir(tempFolder, { recursive: true, mode: 0o700 });
  }
  const env = stepEnvironment(options.surroundings.env, job, workFolder, tempFolder);

  log.add(`Agent name: '${options.agentName}'`);
  log.add(`Agent machine name: '${hostname()}'`);
  log.add(`Current agent version: '${agentVersion}'`);

  let result: JobResult = 'succeeded';
  for (const step of job.steps) {
    if (result !== 'succeeded') {
      await report({ id: step.id, state: 'completed', result: 'skipped' });
      continue;
    }
    await report({ id: step.id, state: 'inProgress', startTime: new Date().toISOString() });
    log.add(`##[section]Starting: ${step.displayName}`);
    log.add('========================== Starting Command Output ===========================');
    const error = await runStep();
    if (error !== undefined) log.add(`##[error]${error}`);
    log.add(`##[section]Finishing: ${step.displayName}`);
    // The step's result must not overtake its lines.
    await log.flush();
    await report({
      id: step.id,
      state: 'completed',
      result,
      finishTime: new Date().toISOString(),
      percentComplete: 100,
    });

    async function runStep(): Promise<string | undefined> {
      try {
        const code = await runScript({
          script: step.script,
          shell: step.shell,
          id: step.id,
          workFolder,
          tempFolder,
          env: { ...env, ...step.env },
          onLine: line => log.add(line),
          stop: options.stop,
          death: options.surroundings.death,
        });
        if (options.stop.aborted) return stopped();
        if (code === 0) return undefined;
        result = 'failed';
        return code === null ? 'The script was ended by a signal.' : `Script exited with code '${code}'.`;
      } catch (problem) {
        if (options.stop.aborted) return stopped();
        result = 'failed';
        return `The script could not be started: ${problem instanceof Error ? problem.message : String(problem)}`;
      }
    }
    function stopped(): string {
      const canceled = options.stop.reason === ('canceled' satisfies StopReason);
      result = canceled ? 'canceled' : 'failed';
      return canceled
        ? 'The operation was canceled.'
        : 'The agent has received a shutdown signal. It stops its job and ends.';
    }
  }
  await log.flush();
  return result;
}

/** A job's variables are environment variables of its steps, beside those of the agent. */
function stepEnvironment(
  agentEnv: Surroundings['env'],
  job: Job,
  workFolder: string,
  tempFolder: string,
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...agentEnv };
  for (const [name, { value }] of Object.entries(job.variables)) {
    env[name.replaceAll(/[. ]/g, '_').toUpperCase()] = value;
  }
  return {
    ...env,
    TF_BUILD: 'True',
    SYSTEM_DEFAULTWORKINGDIRECTORY: workFolder,
    AGENT_TEMPDIRECTORY: tempFolder,
  };
}
