import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Refused } from './client.js';
import type { Credentials } from './credentials.js';
import { AgentExit, type ExitCode, exitCode } from './exit.js';
import { type AgentFault, beforeRegistration, dieLater } from './fault.js';
import { Job, type JobResult, runJob } from './job.js';
import { Registration } from './registration.js';
import type { AgentSettings } from './settings.js';
import type { Surroundings } from './surroundings.js';

export interface AgentOptions {
  readonly settings: AgentSettings;
  /** How it is to misbehave. */
  readonly fault?: AgentFault;
  readonly credentials: Credentials;
  readonly capabilities: Record<string, string>;
  readonly surroundings: Surroundings;
}

/** The lock of a job lasts a minute or more: renewed often enough to survive a lost call. */
const renewEveryMs = 10_000;

/** The life of an agent: register, listen, run a job, unregister. */
export async function runAgent(options: AgentOptions): Promise<ExitCode> {
  const { settings, surroundings } = options;
  const { say, shutdown, die } = surroundings;
  const client = new Client(settings.url, options.credentials, surroundings);
  let registration: Registration;
  try {
    await beforeRegistration(options.fault, surroundings);
    registration = await register(client, options);
  } catch (error) {
    if (shutdown.aborted) return exitCode.done;
    throw error;
  }
  say(`registered as ${settings.name} in pool ${settings.pool}, listening for jobs`);
  const liveOn = dieLater(options.fault, 'dieBeforeJob', die);
  try {
    do {
      const job = await nextJob(registration, shutdown);
      liveOn();
      dieLater(options.fault, 'dieInJob', die);
      say(`running job ${job.jobDisplayName} (request ${job.requestId})`);
      const result = await work(registration, job, options);
      say(`job ${job.jobDisplayName} completed with result: ${result}`);
    } while (!settings.dispose && !shutdown.aborted);
  } catch (error) {
    if (error instanceof Refused && error.typeKey === 'TaskAgentNotFoundException') {
      say('The registration of this agent was removed. It ends.');
      return exitCode.terminated;
    }
    if (!shutdown.aborted) throw error;
  }
  await registration.closeSession();
  await registration.remove();
  say(`unregistered ${settings.name}`);
  return exitCode.done;
}

async function register(client: Client, options: AgentOptions): Promise<Registration> {
  const { url, pool, name } = options.settings;
  try {
    return await Registration.create(client, pool, name, options.capabilities, options.surroundings.shutdown);
  } catch (error) {
    if (error instanceof Refused && error.isAboutToken) {
      throw new AgentExit(
        exitCode.tokenRefused,
        `${url} refused the token: it is not valid, or it may not register agents in pool "${pool}".`,
      );
    }
    throw error;
  }
}

async function nextJob(registration: Registration, signal: AbortSignal): Promise<Job> {
  for (;;) {
    const message = await registration.nextMessage(signal);
    const ours = await registration.acknowledge(message.messageId);
    if (ours && message.messageType === 'PipelineAgentJobRequest') return Job.parse(JSON.parse(message.body));
  }
}

/** Runs the job, and all the while renews its lock and listens for its cancellation. */
async function work(registration: Registration, job: Job, options: AgentOptions): Promise<JobResult> {
  const stop = new AbortController();
  const over = new AbortController();
  const onShutdown = (): void => stop.abort('shutdown');
  const { shutdown } = options.surroundings;
  if (shutdown.aborted) onShutdown();
  shutdown.addEventListener('abort', onShutdown, { once: true });
  const company = Promise.all([
    renewing(registration, job.requestId, stop, over.signal),
    listening(registration, stop, over.signal),
  ]);
  let result: JobResult;
  try {
    result = await runJob(job, {
      url: options.settings.url,
      agentName: options.settings.name,
      work: options.settings.work,
      stop: stop.signal,
      surroundings: options.surroundings,
    });
  } finally {
    shutdown.removeEventListener('abort', onShutdown);
    // It stops listening first: else the service would give it another job at the very end of this one.
    over.abort();
    await company;
  }
  try {
    await registration.updateRequest(job.requestId, result);
  } catch (error) {
    // The service gave this job up meanwhile.
    if (!(error instanceof Refused)) throw error;
  }
  return result;
}

async function renewing(
  registration: Registration,
  requestId: number,
  stop: AbortController,
  over: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await sleep(renewEveryMs, undefined, { signal: over });
      await registration.updateRequest(requestId, undefined, over);
    }
  } catch {
    // The service gave the job up, or is away for good: its steps work for nobody.
    if (!over.aborted) stop.abort('canceled');
  }
}

async function listening(
  registration: Registration,
  stop: AbortController,
  over: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const message = await registration.nextMessage(over);
      await registration.acknowledge(message.messageId);
      if (message.messageType === 'JobCancellation') stop.abort('canceled');
    }
  } catch {
    // Deaf, but not done: the lock decides whether the job is still wanted.
  }
}
