import * as z from 'zod';
import { canonicalPlanUrl, planUrlProblem } from '../domain/plan-url.js';
import type { PipelineContext } from '../domain/request.js';
import type { FieldError } from './field-error.js';
import type { Parsed } from './read-json.js';

/** The pipeline's context with the job token that came with it; the token goes no further than its seal. */
export interface PipelineCaller {
  readonly context: PipelineContext;
  readonly token: string;
}

const guid = z.string().regex(/^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/, 'must be a GUID');

/** All but `PlanUrl`, whose host is a matter of settings. */
export const pipelineHeaderSchemas = {
  ProjectId: guid,
  HubName: z.string().regex(/^[A-Za-z]{1,32}$/, 'must be a hub name such as "build"'),
  PlanId: guid,
  JobId: guid,
  TimelineId: guid,
  TaskInstanceId: guid,
  AuthToken: z
    .string()
    .regex(/^[\x21-\x7e]{1,16384}$/, 'must be a token without spaces')
    // With a macro instead of a token the agent would come and its pipeline wait for ever.
    .refine(text => !text.startsWith('$('), 'is a macro that the pipeline did not expand'),
};

/**
 * Reads the headers that `AzureFunction@1` sends by default: all of them or none.
 *
 * @returns undefined as a value when there are none.
 */
export function readPipelineHeaders(
  headers: { get(name: string): string | null },
  allowedPlanHosts: readonly string[],
): Parsed<PipelineCaller | undefined> {
  const names = ['PlanUrl', ...Object.keys(pipelineHeaderSchemas)];
  const present = names.filter(name => headers.get(name)?.trim());
  if (present.length === 0) return { ok: true, value: undefined };

  const errors: FieldError[] = names
    .filter(name => !present.includes(name))
    .map(name => ({
      in: 'header',
      name,
      detail: 'is missing; pipeline headers come all together or not at all',
    }));
  const read = (name: keyof typeof pipelineHeaderSchemas): string => {
    const value = headers.get(name)?.trim();
    if (!value) return '';
    const parsed = pipelineHeaderSchemas[name].safeParse(value);
    if (!parsed.success)
      errors.push({ in: 'header', name, detail: parsed.error.issues[0]?.message ?? 'is malformed' });
    return value;
  };
  const planUrl = headers.get('PlanUrl')?.trim() ?? '';
  const wrongPlanUrl = planUrl ? planUrlProblem(planUrl, allowedPlanHosts) : undefined;
  if (wrongPlanUrl) errors.push({ in: 'header', name: 'PlanUrl', detail: wrongPlanUrl });

  const caller: PipelineCaller = {
    context: {
      planUrl: planUrl && !wrongPlanUrl ? canonicalPlanUrl(planUrl) : '',
      projectId: read('ProjectId'),
      hubName: read('HubName'),
      planId: read('PlanId'),
      jobId: read('JobId'),
      timelineId: read('TimelineId'),
      taskInstanceId: read('TaskInstanceId'),
    },
    token: read('AuthToken'),
  };
  return errors.length === 0 ? { ok: true, value: caller } : { ok: false, errors };
}
