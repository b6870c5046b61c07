import * as z from 'zod';

import { durationMs } from './duration.js';
import { BatchError, invalidProperty } from './errors.js';

/**
 * What the service accepts and keeps. Objects are loose: properties of the real service that this stand-in gives
 * no meaning to are kept and shown again, as the service does.
 */

const Id = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 characters out of letters, digits, hyphen and underscore');

const Duration = z.string().refine(text => durationMs(text) !== undefined, 'must be an ISO 8601 duration');

const EnvironmentSettings = z.array(z.looseObject({ name: z.string().min(1), value: z.string().optional() }));

const ExitOptions = z.looseObject({ jobAction: z.enum(['none', 'disable', 'terminate']).optional() });
export type ExitOptions = z.infer<typeof ExitOptions>;

const ExitConditions = z.looseObject({
  exitCodes: z.array(z.looseObject({ code: z.int(), exitOptions: ExitOptions })).optional(),
  exitCodeRanges: z
    .array(z.looseObject({ start: z.int(), end: z.int(), exitOptions: ExitOptions }))
    .optional(),
  preProcessingError: ExitOptions.optional(),
  default: ExitOptions.optional(),
});

const ContainerSettings = z.looseObject({
  imageName: z.string().min(1),
  containerRunOptions: z.string().optional(),
  workingDirectory: z.enum(['taskWorkingDirectory', 'containerImageDefault']).optional(),
  registry: z
    .looseObject({
      registryServer: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
    })
    .optional(),
});

const TaskConstraints = z.looseObject({
  maxWallClockTime: Duration.optional(),
  retentionTime: Duration.optional(),
  maxTaskRetryCount: z.int().min(-1).optional(),
});

export const TaskSpec = z.looseObject({
  id: Id,
  displayName: z.string().max(1024).optional(),
  commandLine: z.string(),
  containerSettings: ContainerSettings.optional(),
  environmentSettings: EnvironmentSettings.optional(),
  constraints: TaskConstraints.optional(),
  exitConditions: ExitConditions.optional(),
  requiredSlots: z.int().min(1).max(256).optional(),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

export const TaskCollection = z.looseObject({ value: z.array(TaskSpec) });

const JobConstraints = z.looseObject({
  maxWallClockTime: Duration.optional(),
  maxTaskRetryCount: z.int().min(-1).optional(),
});

const PoolInfo = z.looseObject({ poolId: Id });

export const JobSpec = z.looseObject({
  id: Id,
  displayName: z.string().max(1024).optional(),
  priority: z.int().min(-1000).max(1000).optional(),
  constraints: JobConstraints.optional(),
  commonEnvironmentSettings: EnvironmentSettings.optional(),
  poolInfo: PoolInfo,
  onAllTasksComplete: z.enum(['noaction', 'terminatejob']).optional(),
  onTaskFailure: z.enum(['noaction', 'performexitoptionsjobaction']).optional(),
});
export type JobSpec = z.infer<typeof JobSpec>;

/** The rest of a job can't be changed, its `commonEnvironmentSettings` least of all. */
export const JobPatch = z.strictObject({
  priority: z.int().min(-1000).max(1000).optional(),
  constraints: JobConstraints.optional(),
  poolInfo: PoolInfo.optional(),
  onAllTasksComplete: z.enum(['noaction', 'terminatejob']).optional(),
  metadata: z.array(z.looseObject({ name: z.string(), value: z.string() })).optional(),
  allowTaskPreemption: z.boolean().optional(),
});
export type JobPatch = z.infer<typeof JobPatch>;

export const DisableJob = z.looseObject({ disableTasks: z.enum(['requeue', 'terminate', 'wait']) });
export const TerminateJob = z.looseObject({ terminateReason: z.string().optional() }).optional();
/** The service's own bounds; a pools file may have the formula evaluated more often. */
const EvaluationInterval = Duration.refine(text => {
  const ms = durationMs(text) ?? 0;
  return ms >= 300_000 && ms <= 168 * 3_600_000;
}, 'must be from 5 minutes to 168 hours');
export const EnableAutoScale = z.looseObject({
  autoScaleFormula: z.string().optional(),
  autoScaleEvaluationInterval: EvaluationInterval.optional(),
});
export const EvaluateAutoScale = z.looseObject({ autoScaleFormula: z.string() });

/**
 * Decodes a request's body.
 *
 * @throws BatchError that names the first property at fault.
 */
export function decode<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys') {
    throw new BatchError('UnsupportedProperty', [
      { key: 'PropertyName', value: [...path, issue.keys[0] ?? ''].join('.') },
    ]);
  }
  if (path.length === 0) {
    throw new BatchError('InvalidRequestBody', [
      {
        key: 'Reason',
        value: body === undefined ? 'The request has no body.' : 'The body is not of the expected kind.',
      },
    ]);
  }
  if (valueAt(body, path) === undefined) {
    throw new BatchError('MissingRequiredProperty', [{ key: 'PropertyName', value: path.join('.') }]);
  }
  throw invalidProperty(path.join('.'), issue?.message ?? 'not valid');
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}

const notPerformed = {
  task: [
    'multiInstanceSettings',
    'resourceFiles',
    'outputFiles',
    'applicationPackageReferences',
    'dependsOn',
  ],
  job: ['jobManagerTask', 'jobPreparationTask', 'jobReleaseTask', 'maxParallelTasks'],
} as const;

/**
 * Refuses what would change how a task runs but is not done here: to keep and ignore it would be a lie that
 * shows only in the cloud.
 */
export function refuseUnperformed(kind: keyof typeof notPerformed, spec: Record<string, unknown>): void {
  for (const name of notPerformed[kind]) {
    const value = spec[name];
    const empty =
      value === undefined || value === null || value === -1 || (Array.isArray(value) && value.length === 0);
    if (empty) continue;
    throw new BatchError('UnsupportedProperty', [
      { key: 'PropertyName', value: name },
      { key: 'Reason', value: 'The local Batch does not perform this property.' },
    ]);
  }
}
