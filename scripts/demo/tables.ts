import Table from 'cli-table3';
import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import type { PlayedRun } from './play-run.js';

const callsSchema = z.record(z.string(), z.number());

export function requestsTable(runs: readonly PlayedRun[]): string {
  const table = new Table({
    head: ['pipeline', 'request', 'profile', 'states', 'to online', 'agent of the job'],
  });
  for (const { name, request, jobAgent } of runs) {
    const states = request.history
      .map(entry => entry.state)
      .filter((state, index, all) => state !== all[index - 1]);
    const { toOnlineMs } = request.timings;
    table.push([
      name,
      request.requestId,
      request.profile,
      states.join('\n'),
      toOnlineMs === null ? '–' : `${(toOnlineMs / 1_000).toFixed(1)} s`,
      jobAgent,
    ]);
  }
  return table.toString();
}

/** Calls that agents and pipelines make themselves; what is left is ours. */
const notOurs = [
  /sessions/,
  /messages/,
  /^PATCH .*jobrequests/,
  /^POST .*\/agents$/,
  /^OPTIONS/,
  /ResourceAreas/,
];

export async function callsTable(stack: Stack): Promise<string> {
  const table = new Table({ head: ['service', 'call', 'times'] });
  for (const part of ['batch', 'devops'] as const) {
    const response = await fetch(`${stack.url(part)}/_local/calls`);
    const calls = Object.entries(callsSchema.parse(await response.json())).filter(
      ([call]) => part === 'batch' || !notOurs.some(pattern => pattern.test(call)),
    );
    const total = calls.reduce((sum, [, times]) => sum + times, 0);
    const service = part === 'batch' ? 'Azure Batch' : 'Azure DevOps';
    for (const [call, times] of calls) table.push([service, call, times]);
    table.push([service, 'all', total]);
  }
  return table.toString();
}
