import { causeOf, guideTo } from '../../../shared/domain/failure-guide.js';
import type { ShownRequest } from '../client.js';
import { colours, duration, flat, screenWidth, time, wrap } from '../output.js';
import { table } from '../table.js';

/** A request, for a person. */
export async function describe(request: ShownRequest): Promise<string> {
  const { timings, history, links, agentName, batch } = request;
  const tags = Object.entries(request.tags).map(([name, value]) => `${name}=${value}`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['profile', request.profile || undefined],
    ['agent pool', request.devOpsPool || undefined],
    ['agent', agentName ?? undefined],
    ['attempt', String(request.attempt)],
    ['Batch pool', batch?.poolId],
    ['Batch task', batch ? `${batch.taskId} of job ${batch.jobId}` : undefined],
    ['asked for', `${time(request.createdAt)} UTC`],
    ['online', request.onlineAt === null ? undefined : `${time(request.onlineAt)} UTC`],
    ['ended', request.endedAt === null ? undefined : `${time(request.endedAt)} UTC`],
    ['queued', duration(timings.queuedMs)],
    ['provisioning', duration(timings.provisioningMs)],
    ['starting', duration(timings.startingMs)],
    ['to online', duration(timings.toOnlineMs)],
    ['tags', tags.length > 0 ? tags.join(', ') : undefined],
    ['link', links.self],
    ['pipeline', links.pipeline ?? undefined],
  ];
  const failure = failureOf(request);
  const story = await table(
    ['at (UTC)', 'state', 'attempt', 'what happened'],
    history.map(({ at, state, attempt, detail }) => [time(at), state, String(attempt), detail]),
  );
  return [
    `${colours.bold(flat(request.requestId))} is ${request.state}`,
    ...facts.flatMap(([name, fact]) => (fact === undefined ? [] : [factOf(name, fact)])),
    '',
    story,
    ...(failure === '' ? [] : ['', failure]),
  ].join('\n');
}

const factIndent = ' '.repeat(16);
const factOf = (name: string, fact: string): string =>
  `  ${name.padEnd(14)}${wrap(fact, screenWidth(), factIndent).trimStart()}`;

/** What went wrong, why, and what to do; empty if nothing did. Who cancelled needs no reason of an earlier attempt. */
export function failureOf({ state, failure, links }: ShownRequest): string {
  if (!failure || state === 'cancelled') return '';
  const { title, cause, remedy, who } = guideTo(failure.code);
  const part = (name: string, text: string): string => {
    const line = wrap(`${name}: ${text}`, screenWidth(), '  ');
    return line.replace(`${name}:`, colours.bold(`${name}:`));
  };
  return [
    colours.red(flat(`${failure.code} (${failure.stage}): ${title}`)),
    wrap(causeOf(failure), screenWidth(), '  '),
    part('Cause', cause),
    part(`Remedy, by the ${who}`, remedy),
    ...(links.help === null ? [] : [`  ${colours.bold('More:')} ${flat(links.help)}`]),
  ].join('\n');
}
