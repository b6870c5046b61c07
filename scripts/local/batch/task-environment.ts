import { dirname } from 'node:path';

import type { JobSpec, TaskSpec } from './model.js';

export interface TaskPlacement {
  readonly account: string;
  readonly accountUrl: string;
  readonly poolId: string;
  readonly nodeId: string;
  readonly isDedicated: boolean;
  readonly rootDir: string;
  readonly taskDir: string;
  readonly workDir: string;
}

/** Where programs of tasks are looked for, but on Windows. */
export const taskPath = (): string => `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;

/**
 * A task's whole environment: what Batch tells it, its job's and its own settings, and the least that programs need.
 * Nothing of this server's own environment: a task that works here by accident would fail on a node.
 */
export function taskEnvironment(job: JobSpec, task: TaskSpec, place: TaskPlacement): Record<string, string> {
  const isWindows = process.platform === 'win32';
  const least = isWindows
    ? {
        PATH: `${dirname(process.execPath)};${process.env['PATH'] ?? ''}`,
        SystemRoot: process.env['SystemRoot'] ?? '',
      }
    : {
        PATH: taskPath(),
        HOME: place.workDir,
        LANG: 'C.UTF-8',
      };
  return {
    ...least,
    ...settings(job.commonEnvironmentSettings),
    ...settings(task.environmentSettings),
    AZ_BATCH_ACCOUNT_NAME: place.account,
    AZ_BATCH_ACCOUNT_URL: `${place.accountUrl}/`,
    AZ_BATCH_POOL_ID: place.poolId,
    AZ_BATCH_NODE_ID: place.nodeId,
    AZ_BATCH_NODE_IS_DEDICATED: String(place.isDedicated),
    AZ_BATCH_NODE_ROOT_DIR: place.rootDir,
    AZ_BATCH_JOB_ID: job.id,
    AZ_BATCH_TASK_ID: task.id,
    AZ_BATCH_TASK_DIR: place.taskDir,
    AZ_BATCH_TASK_WORKING_DIR: place.workDir,
  };
}

const settings = (list: TaskSpec['environmentSettings']): Record<string, string> =>
  Object.fromEntries((list ?? []).map(({ name, value }) => [name, value ?? '']));
