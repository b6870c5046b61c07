import { setTimeout as sleep } from 'node:timers/promises';
import { Refused } from './client.js';
import { type AgentFault, dieLater } from './fault.js';
import { Job, type JobResult, runJob } from './job.js';
import type { Session } from './session.js';
import type { Surroundings } from './surroundings.js';

export interface ListenOptions {
  readonly url: string;
  readonly name: string;
  /** Folder for jobs. */
  readonly work: string;
  /** One job and no more. */
  readonly once: boolean;
  readonly fault?: AgentFault;
  readonly surroundings: Surroundings;
}

/** The lock of a job lasts a minute or more: renewed often enough to survive a lost call. */
const renewEveryMs = 10_000;

/**
 * Takes jobs and runs them, one after the other, and says so in the words of the real agent, by which scripts around an
 * agent know what it does.
 *
 * @returns `removed` when its registration is gone; else its session is closed.
 */
export async function listenForJobs(session: Session, options: ListenOptions): Promise<'ended' | 'removed'> {
  const { shutdown, die } = options.surroundings;
  const say = (line: string): void => options.surroundings.say(`${secondsOf(new Date())}: ${line}`);
  say('Listening for Jobs');
  const liveOn = dieLater(options.fault, 'dieBeforeJob', die);
  try {
    do {
      const job = await nextJob(session, shutdown);
      liveOn();
      dieLater(options.fault, 'dieInJob', die);
      say(`Running job: ${job.jobDisplayName}`);
      const result = await work(session, job, options);
      say(`Job ${job.jobDisplayName} completed with result: ${asTheAgentSays[result]}`);
    } while (!options.once && !shutdown.aborted);
  } catch (error) {
    if (error instanceof Refused && error.typeKey === 'TaskAgentNotFoundException') {
      options.surroundings.say('The registration of this agent was removed. It ends.');
      return 'removed';
    }
    if (!shutdown.aborted) throw error;
  }
  await session.close();
  return 'ended';
}

const secondsOf = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;

const asTheAgentSays: Readonly<Record<JobResult, string>> = {
  succeeded: 'Succeeded',
  failed: 'Failed',
  canceled: 'Canceled',
};

async function nextJob(session: Session, signal: AbortSignal): Promise<Job> {
  for (;;) {
    const message = await session.nextMessage(signal);
    const ours = await session.acknowledge(message.messageId);
    if (ours && message.messageType === 'PipelineAgentJobRequest') return Job.parse(JSON.parse(message.body));
  }
}

/** Runs the job, and all the while renews its lock and listens for its cancellation. */
async function work(session: Session, job: Job, options: ListenOptions): Promise<JobResult> {
  const stop = new AbortController();
  const over = new AbortController();
  const onShutdown = (): void => stop.abort('shutdown');
  const { shutdown } = options.surroundings;
  if (shutdown.aborted) onShutdown();
  shutdown.addEventListener('abort', onShutdown, { once: true });
  const company = Promise.all([
    renewing(session, job.requestId, stop, over.signal),
    listening(session, stop, over.signal),
  ]);
  let result: JobResult;
  try {
    result = await runJob(job, {
      url: options.url,
      agentName: options.name,
      work: options.work,
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
    await session.updateRequest(job.requestId, result);
  } catch (error) {
    // The service gave this job up meanwhile.
    if (!(error instanceof Refused)) throw error;
  }
  return result;
}

async function renewing(
  session: Session,
  requestId: number,
  stop: AbortController,
  over: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await sleep(renewEveryMs, undefined, { signal: over });
      await session.updateRequest(requestId, undefined, over);
    }
  } catch {
    // The service gave the job up, or is away for good: its steps work for nobody.
    if (!over.aborted) stop.abort('canceled');
  }
}

async function listening(session: Session, stop: AbortController, over: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const message = await session.nextMessage(over);
      await session.acknowledge(message.messageId);
      if (message.messageType === 'JobCancellation') stop.abort('canceled');
    }
  } catch {
    // Deaf, but not done: the lock decides whether the job is still wanted.
  }
}
