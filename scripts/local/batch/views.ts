import { showInterval } from '../autoscale/times.js';
import type { JobRecord, NodeRecord, NodeState, PoolRecord, RunRecord, TaskRecord } from './records.js';
import { isDedicated } from './resize.js';
import { targetsOf } from './scaling.js';

/** Records as the API shows them. Property names and their order follow the Batch REST reference. */

interface Dated {
  readonly version: number;
  readonly creationTime: string;
}

/** Changes with every change of the entity. */
export const eTagOf = ({ version, creationTime }: Dated): string =>
  `0x8D${(Date.parse(creationTime) * 1_000 + version).toString(16).toUpperCase()}`;

const defined = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

type View = Record<string, unknown>;

const unlimited = 'P10675199DT2H48M5.4775807S';

export function jobView(job: JobRecord, url: string): View {
  const { spec } = job;
  return defined({
    ...spec,
    url: `${url}/jobs/${spec.id}`,
    eTag: eTagOf(job),
    lastModified: job.lastModified,
    creationTime: job.creationTime,
    state: job.state,
    stateTransitionTime: job.stateTransitionTime,
    previousState: job.previousState,
    previousStateTransitionTime: job.previousStateTransitionTime,
    priority: spec.priority ?? 0,
    maxParallelTasks: -1,
    allowTaskPreemption: spec['allowTaskPreemption'] ?? false,
    usesTaskDependencies: spec['usesTaskDependencies'] ?? false,
    constraints: { maxWallClockTime: unlimited, maxTaskRetryCount: 0, ...spec.constraints },
    onAllTasksComplete: spec.onAllTasksComplete ?? 'noaction',
    onTaskFailure: spec.onTaskFailure ?? 'noaction',
    executionInfo: defined({
      startTime: job.creationTime,
      endTime: job.endTime,
      poolId: spec.poolInfo.poolId,
      terminateReason: job.state === 'completed' ? job.terminateReason : undefined,
    }),
  });
}

export function taskView(task: TaskRecord, job: JobRecord, url: string): View {
  const { spec, node } = task;
  const nodeUrl = node && `${url}/pools/${node.poolId}/nodes/${node.nodeId}`;
  const taskRoot = `workitems/${job.spec.id}/${spec.id}`;
  return defined({
    ...spec,
    url: `${url}/jobs/${job.spec.id}/tasks/${spec.id}`,
    eTag: eTagOf(task),
    lastModified: task.lastModified,
    creationTime: task.creationTime,
    state: task.state,
    stateTransitionTime: task.stateTransitionTime,
    previousState: task.previousState,
    previousStateTransitionTime: task.previousStateTransitionTime,
    requiredSlots: spec.requiredSlots ?? 1,
    constraints: {
      maxWallClockTime: unlimited,
      retentionTime: 'P7D',
      maxTaskRetryCount: job.spec.constraints?.maxTaskRetryCount ?? 0,
      ...spec.constraints,
    },
    executionInfo: defined({
      startTime: task.startTime,
      endTime: task.endTime,
      exitCode: task.exitCode,
      containerInfo: task.containerInfo,
      failureInfo: task.failureInfo,
      retryCount: task.retryCount,
      lastRetryTime: task.lastRetryTime,
      requeueCount: task.requeueCount,
      lastRequeueTime: task.lastRequeueTime,
      result: task.result,
    }),
    nodeInfo: node && {
      affinityId: `TVM:${node.nodeId}`,
      nodeUrl,
      poolId: node.poolId,
      nodeId: node.nodeId,
      taskRootDirectory: taskRoot,
      taskRootDirectoryUrl: `${nodeUrl}/files/${taskRoot}`,
    },
  });
}

export function poolView(pool: PoolRecord, url: string): View {
  const { config, nodes } = pool;
  const present = nodes.filter(({ state }) => state !== 'preempted');
  const dedicated = present.filter(({ id }) => isDedicated(id)).length;
  const targets = targetsOf(pool);
  const isWindows = config.os === 'windows';
  const scales = config.autoScaleFormula !== undefined;
  return defined({
    id: config.id,
    url: `${url}/pools/${config.id}`,
    eTag: eTagOf(pool),
    lastModified: pool.lastModified,
    creationTime: pool.creationTime,
    state: 'active',
    stateTransitionTime: pool.creationTime,
    allocationState: nodes.some(({ state }) => state === 'starting' || state === 'leavingpool')
      ? 'resizing'
      : 'steady',
    allocationStateTransitionTime: pool.lastModified,
    vmSize: config.vmSize,
    virtualMachineConfiguration: {
      imageReference: isWindows
        ? {
            publisher: 'microsoftwindowsserver',
            offer: 'windowsserver',
            sku: '2022-datacenter-core',
            version: 'latest',
          }
        : { publisher: 'microsoft-dsvm', offer: 'ubuntu-hpc', sku: '2404', version: 'latest' },
      nodeAgentSKUId: isWindows ? 'batch.node.windows amd64' : 'batch.node.ubuntu 24.04',
      containerConfiguration: { type: 'dockerCompatible' },
    },
    resizeTimeout: 'PT15M',
    resizeErrors: config.resizeErrors.length > 0 ? config.resizeErrors : undefined,
    currentDedicatedNodes: dedicated,
    currentLowPriorityNodes: present.length - dedicated,
    targetDedicatedNodes: targets.targetDedicatedNodes,
    targetLowPriorityNodes: targets.targetLowPriorityNodes,
    enableAutoScale: scales,
    autoScaleFormula: config.autoScaleFormula,
    autoScaleEvaluationInterval: scales ? showInterval(config.autoScaleEvaluationMs) : undefined,
    autoScaleRun: scales ? pool.autoScale?.run : undefined,
    enableInterNodeCommunication: false,
    taskSlotsPerNode: config.taskSlotsPerNode,
    taskSchedulingPolicy: { nodeFillType: config.nodeFillType },
  });
}

/** How many nodes are in each state; those that a stand-in's node never has are always 0. */
export function nodeCountsView({ config, nodes }: PoolRecord): View {
  const count = (counted: readonly NodeRecord[]): Record<string, number> => {
    const inState = (state: NodeState): number => counted.filter(node => node.state === state).length;
    return {
      creating: 0,
      idle: inState('idle'),
      leavingPool: inState('leavingpool'),
      offline: 0,
      preempted: inState('preempted'),
      rebooting: 0,
      reimaging: 0,
      running: inState('running'),
      startTaskFailed: 0,
      starting: inState('starting'),
      unknown: 0,
      unusable: inState('unusable'),
      waitingForStartTask: 0,
      total: counted.length,
    };
  };
  return {
    poolId: config.id,
    dedicated: count(nodes.filter(({ id }) => isDedicated(id))),
    lowPriority: count(nodes.filter(({ id }) => !isDedicated(id))),
  };
}

export function nodeView(pool: PoolRecord, node: NodeRecord, runs: readonly RunRecord[], url: string): View {
  return defined({
    id: node.id,
    url: `${url}/pools/${pool.config.id}/nodes/${node.id}`,
    state: node.state,
    schedulingState: node.state === 'leavingpool' ? 'disabled' : 'enabled',
    stateTransitionTime: node.stateTransitionTime,
    lastBootTime: node.lastBootTime,
    allocationTime: node.allocationTime,
    ipAddress: '127.0.0.1',
    affinityId: `TVM:${node.id}`,
    vmSize: pool.config.vmSize,
    totalTasksRun: node.totalTasksRun,
    totalTasksSucceeded: node.totalTasksSucceeded,
    runningTasksCount: runs.length,
    runningTaskSlotsCount: runs.reduce((sum, { slots }) => sum + slots, 0),
    isDedicated: isDedicated(node.id),
    errors:
      node.state === 'unusable'
        ? [{ code: 'UnusableNode', message: 'The node can no longer run tasks.' }]
        : undefined,
  });
}
