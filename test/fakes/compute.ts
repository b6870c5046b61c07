import type { JobView } from '../../shared/domain/daily-jobs.js';
import type { Failure } from '../../shared/domain/failure.js';
import { batchJobIdOf } from '../../shared/domain/names.js';
import type { BatchPlace } from '../../shared/domain/request.js';
import type { TaskView } from '../../shared/domain/situation.js';
import type { AgentTask, Compute, NodeCounts } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

interface FakeTask {
  readonly task: AgentTask;
  view: TaskView;
  output: string | undefined;
}

export interface FakeCompute extends Compute, Knobs<Compute> {
  /** Batch pools that do not exist. */
  readonly missingPools: Set<string>;
  /** Batch pools that can not run tasks now, and why. */
  readonly poolProblems: Map<string, Failure>;
  /** The nodes of Batch pools; one that is not in it has none. */
  readonly nodes: Map<string, NodeCounts>;
  /** What was asked for and is not deleted. */
  readonly tasks: () => readonly AgentTask[];
  /** Every job, by id; one may be added that somebody else has made. */
  readonly jobs: Map<string, JobView>;
  /** Adds a task as Batch tells of it, whoever made it. */
  readonly put: (view: TaskView) => void;
  /** Changes what Batch tells of a task, e.g. `{ state: 'completed', exitCode: 0 }`. */
  readonly change: (taskId: string, view: Partial<TaskView>, output?: string) => void;
}

export function createFakeCompute(): FakeCompute {
  const tasks = new Map<string, FakeTask>();
  const missingPools = new Set<string>();
  const jobs = new Map<string, JobView>();
  const poolProblems = new Map<string, Failure>();
  const nodes = new Map<string, NodeCounts>();
  const keyOf = ({ jobId, taskId }: Pick<BatchPlace, 'jobId' | 'taskId'>): string =>
    `${jobId}/${taskId}`.toLowerCase();

  const compute: Compute = {
    createTask: async task => {
      if (missingPools.has(task.poolId)) {
        return { kind: 'rejected', failure: poolMissing(task.poolId) };
      }
      let round = 0;
      while ((jobs.get(batchJobIdOf(task.profile, task.day, round))?.state ?? 'active') !== 'active')
        round += 1;
      const jobId = batchJobIdOf(task.profile, task.day, round);
      jobs.set(jobId, { jobId, state: 'active', marked: true });
      const { poolId, taskId } = task;
      const key = keyOf({ jobId, taskId });
      if (!tasks.has(key)) {
        tasks.set(key, { task, view: { jobId, taskId, state: 'active', madeHere: true }, output: undefined });
      }
      return { kind: 'created', batch: { poolId, jobId, taskId } };
    },
    listJobs: async () => [...jobs.values()],
    endJob: async jobId => {
      const job = jobs.get(jobId);
      if (job) jobs.set(jobId, { ...job, state: 'ended' });
      for (const found of tasks.values()) {
        if (found.view.jobId === jobId) found.view = { ...found.view, state: 'completed' };
      }
    },
    deleteJob: async jobId => {
      jobs.delete(jobId);
      for (const [key, { view }] of tasks) if (view.jobId === jobId) tasks.delete(key);
    },
    listTasks: async jobIds =>
      [...tasks.values()]
        .map(({ view }) => view)
        .filter(({ jobId }) => jobIds.some(each => each.toLowerCase() === jobId.toLowerCase())),
    getTask: async place => tasks.get(keyOf(place))?.view,
    poolProblem: async poolId => (missingPools.has(poolId) ? poolMissing(poolId) : poolProblems.get(poolId)),
    poolViews: async poolIds =>
      poolIds.map(poolId => ({
        poolId,
        nodes: missingPools.has(poolId) ? undefined : (nodes.get(poolId) ?? noNodes),
        problem: missingPools.has(poolId) ? poolMissing(poolId) : poolProblems.get(poolId),
      })),
    deleteTask: async place => void tasks.delete(keyOf(place)),
    outputTail: async place => tasks.get(keyOf(place))?.output,
    ping: async () => {},
  };
  return withKnobs(compute, {
    nodes,
    missingPools,
    jobs,
    put: (view: TaskView) => {
      if (!jobs.has(view.jobId)) jobs.set(view.jobId, { jobId: view.jobId, state: 'active', marked: true });
      tasks.set(keyOf(view), { task: { ...strange, taskId: view.taskId }, view, output: undefined });
    },
    poolProblems,
    tasks: () => [...tasks.values()].map(({ task }) => task),
    change: (taskId: string, view: Partial<TaskView>, output?: string) => {
      const found = [...tasks.values()].find(
        ({ task }) => task.taskId.toLowerCase() === taskId.toLowerCase(),
      );
      if (!found) throw new Error(`There is no task ${taskId}.`);
      found.view = { ...found.view, ...view };
      found.output = output ?? found.output;
    },
  });
}

const noNodes: NodeCounts = { current: 0, target: 0, idle: 0, running: 0, starting: 0, unusable: 0 };
const strange: AgentTask = {
  profile: '?',
  day: '?',
  poolId: '?',
  taskId: '?',
  image: '?',
  os: 'linux',
  slots: 1,
  environment: {},
  maxWallClockMinutes: 1,
};
const poolMissing = (poolId: string): Failure => ({
  code: 'PoolMissing',
  stage: 'nodeAllocation',
  message: `Batch pool ${poolId} does not exist. Create it, or correct the profile's batchPool.`,
  retryable: false,
});
