/**
 * All names derive from the request, so that whatever runs twice finds what it made the first time.
 * Azure Batch ids: at most 64 of `[A-Za-z0-9_-]`, compared without case.
 */
export const requestIdPattern = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** The agent and its Batch task bear one name: at most 40 + 5 characters. */
export const agentNameOf = (requestId: string, attempt: number): string => `${requestId}-${attempt}`;

/** One shared Batch job a profile and day: active jobs of an account are few, tasks of a job are not. */
export const batchJobIdOf = (profile: string, day: string, round: number): string =>
  round === 0 ? `agents-${profile}-${day}` : `agents-${profile}-${day}-${round}`;

/** An offline agent that only shows a pool's jobs that somebody will come. */
export const placeholderNameOf = (os: 'linux' | 'windows'): string => `azdo-batch-agents-placeholder-${os}`;

/** Reads a name that {@link agentNameOf} may have given; undefined if it can't have. */
export function partsOfAgentName(
  name: string,
): { readonly requestId: string; readonly attempt: number } | undefined {
  const lower = name.toLowerCase();
  if (lower === placeholderNameOf('linux') || lower === placeholderNameOf('windows')) return undefined;
  const [, requestId, attempt] = /^(.+)-([1-9]\d{0,3})$/.exec(lower) ?? [];
  if (requestId === undefined || !requestIdPattern.test(requestId)) return undefined;
  return { requestId, attempt: Number(attempt) };
}

/** Reads an id that {@link batchJobIdOf} may have given; undefined if it can't have. */
export function partsOfBatchJobId(
  jobId: string,
): { readonly profile: string; readonly day: string } | undefined {
  const [, profile, day] = /^agents-(.+)-(\d{8})(?:-[1-9])?$/i.exec(jobId) ?? [];
  return profile === undefined || day === undefined ? undefined : { profile, day };
}

/** The day, UTC, as `20260131`. */
export const dayOf = (iso: string): string => iso.slice(0, 10).replaceAll('-', '');

/** The orchestration that watches an Azure DevOps pool; pool names are free text, instance ids are not. */
export const watchIdOf = (devOpsPool: string): string =>
  `watch-${devOpsPool.replaceAll(/[^A-Za-z0-9]/gu, char => `_${char.codePointAt(0)?.toString(16) ?? ''}_`)}`;
