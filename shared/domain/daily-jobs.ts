import { dayOf, partsOfBatchJobId } from './names.js';
import type { AgentRequest } from './request.js';
import type { TaskView } from './situation.js';

/** A Batch job as Azure Batch lists it. */
export interface JobView {
  readonly jobId: string;
  readonly state: 'active' | 'ending' | 'ended';
  /** It bears the product's mark. */
  readonly marked: boolean;
}

export interface JobDecision {
  readonly end: readonly string[];
  readonly remove: readonly string[];
}

/** A request may be stored a moment after the day that it names. */
const graceMs = 60 * 60_000;
/** So long an ended job stays to be looked at. */
const keptDays = 7;
const dayMs = 24 * 60 * 60_000;

/** Another team's job may be named alike: its profile must be one of ours, or it must bear our mark. */
export const isOurJob = ({ jobId, marked }: JobView, profiles: ReadonlySet<string>): boolean => {
  const parts = partsOfBatchJobId(jobId);
  return parts !== undefined && (marked || profiles.has(parts.profile));
};

/**
 * Which daily jobs are done with. An account may have only so many that have not ended.
 *
 * @param jobs jobs of ours, see {@link isOurJob}.
 * @param tasks all tasks of those that have not ended.
 * @param live read after both lists: a request of the job's day may still make another task in it.
 */
export function decideJobs(
  jobs: readonly JobView[],
  tasks: readonly TaskView[],
  live: readonly Pick<AgentRequest, 'profile' | 'createdAt'>[],
  now: Date,
): JobDecision {
  const working = new Set(
    tasks.filter(({ state }) => state !== 'completed').map(({ jobId }) => jobId.toLowerCase()),
  );
  const awaited = new Set(live.map(({ profile, createdAt }) => `${profile} ${dayOf(createdAt)}`));
  const today = dayOf(new Date(now.getTime() - graceMs).toISOString());
  const oldest = dayOf(new Date(now.getTime() - keptDays * dayMs).toISOString());
  const end: string[] = [];
  const remove: string[] = [];
  for (const { jobId, state } of jobs) {
    const parts = partsOfBatchJobId(jobId);
    if (!parts) continue;
    const { profile, day } = parts;
    const isDrained = day < today && !working.has(jobId.toLowerCase()) && !awaited.has(`${profile} ${day}`);
    if (state === 'active' && isDrained) end.push(jobId);
    if (state === 'ended' && day < oldest) remove.push(jobId);
  }
  return { end, remove };
}
