import type { Job, Run } from './rows.js';

export type Variables = Readonly<Record<string, string>>;

/** Replaces `$(Name)`, in any case, by the variable's value; an unknown one stays as it is written. */
export function expand(text: string, variables: Variables): string {
  const byName = new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]));
  return text.replace(
    /\$\(([^()]+)\)/g,
    (macro, name: string) => byName.get(name.trim().toLowerCase()) ?? macro,
  );
}

/** The names in the macros of a text. */
export const macrosIn = (text: string): string[] =>
  [...text.matchAll(/\$\(([^()]+)\)/g)].map(([, name = '']) => name.trim());

const predefinedNames = [
  'Build.BuildId',
  'Build.BuildNumber',
  'Build.DefinitionName',
  'System.CollectionUri',
  'System.TeamFoundationCollectionUri',
  'System.TeamProjectId',
  'System.TeamProject',
  'System.HostType',
  'System.DefinitionId',
  'System.PlanId',
  'System.TimelineId',
  'System.JobId',
  'System.JobName',
  'System.JobDisplayName',
  'System.TaskInstanceId',
  'System.StageName',
  'System.StageAttempt',
  'System.PhaseAttempt',
  'System.JobAttempt',
] as const;

export const isPredefined = (name: string): boolean =>
  predefinedNames.some(each => each.toLowerCase() === name.toLowerCase());

/**
 * The predefined variables that a pipeline author can use.
 *
 * @param job whose task asks: each sees its own ids.
 */
export const predefined = (
  run: Run,
  job: Job,
  collectionUri: string,
): Record<(typeof predefinedNames)[number], string> => ({
  'Build.BuildId': String(run.buildId),
  'Build.BuildNumber': `${run.createdAt.slice(0, 10).replaceAll('-', '')}.${run.buildId}`,
  'Build.DefinitionName': run.name,
  'System.CollectionUri': collectionUri,
  'System.TeamFoundationCollectionUri': collectionUri,
  'System.TeamProjectId': run.projectId,
  'System.TeamProject': 'local',
  'System.HostType': 'build',
  'System.DefinitionId': '1',
  'System.PlanId': run.planId,
  'System.TimelineId': run.timelineId,
  'System.JobId': job.id,
  'System.JobName': job.name,
  'System.JobDisplayName': job.displayName,
  // Of the one task of a server job; an agent tells its steps another for each.
  'System.TaskInstanceId': job.taskIds[0] ?? '',
  'System.StageName': '__default',
  'System.StageAttempt': String(run.attempt),
  'System.PhaseAttempt': '1',
  'System.JobAttempt': String(run.attempt),
});
