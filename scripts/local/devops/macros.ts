import type { Run } from './state.js';

export type Variables = Readonly<Record<string, string>>;

/** Replaces `$(Name)`, in any case, by the variable's value; an unknown one stays as it is written. */
export function expand(text: string, variables: Variables): string {
  const byName = new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]));
  return text.replace(
    /\$\(([^()]+)\)/g,
    (macro, name: string) => byName.get(name.trim().toLowerCase()) ?? macro,
  );
}

/**
 * The predefined variables that a pipeline author can use.
 *
 * @param jobId the server job or the agent job: each sees its own id.
 */
export const predefined = (run: Run, jobId: string, collectionUri: string): Variables => ({
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
  'System.JobId': jobId,
  'System.TaskInstanceId': run.taskInstanceId,
  'System.StageName': '__default',
  'System.StageAttempt': String(run.attempt),
  'System.PhaseAttempt': '1',
  'System.JobAttempt': String(run.attempt),
});
