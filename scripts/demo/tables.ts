import Table from 'cli-table3';
import pc from 'picocolors';
import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import type { PlayedRun } from './play-run.js';

const callsSchema = z.record(z.string(), z.number());
/** Colours are picocolors' business: it knows when nobody can see them. */
const style = { head: [], border: [] };
const head = (...names: readonly string[]): string[] => names.map(name => pc.bold(name));

/** A request a row, with what all of them cost together below. */
export async function requestsTable(stack: Stack, runs: readonly PlayedRun[]): Promise<string> {
  const table = new Table({ head: head('request', 'profile', 'states', 'to online', 'job ran on'), style });
  for (const { name, request, jobAgent } of runs) {
    const states = request.history
      .map(entry => entry.state)
      .filter((state, index, all) => state !== all[index - 1]);
    const { toOnlineMs } = request.timings;
    table.push([
      `${name}\n${request.requestId}`,
      request.profile,
      states.join('\n'),
      toOnlineMs === null ? '–' : `${(toOnlineMs / 1_000).toFixed(1)} s`,
      jobAgent,
    ]);
  }
  const [batch, devops] = await Promise.all([callsTo(stack, 'batch'), callsTo(stack, 'devops')]);
  table.push([
    {
      colSpan: 5,
      content: `calls made for all three: ${total(batch)} to Azure Batch, ${total(devops)} to Azure DevOps`,
    },
  ]);
  return `${table.toString()}\n${callsTable(batch, devops)}`;
}

function callsTable(batch: Calls, devops: Calls): string {
  const table = new Table({ head: head('calls of the Functions app', 'times'), style });
  for (const [service, calls] of [
    ['Batch', batch],
    ['DevOps', devops],
  ] as const) {
    for (const [call, times] of calls) table.push([`${service.padEnd(7)} ${call}`, times]);
  }
  return table.toString();
}

type Calls = readonly (readonly [call: string, times: number])[];

/** Agents, pipelines and this demo call the stand-ins as well; the app is known by its User-Agent. */
async function callsTo(stack: Stack, part: 'batch' | 'devops'): Promise<Calls> {
  const response = await fetch(`${stack.url(part)}/_local/calls?client=azdo-batch-agents`);
  return Object.entries(callsSchema.parse(await response.json())).map(([call, times]) => [
    short(call),
    times,
  ]);
}

const total = (calls: Calls): number => calls.reduce((sum, [, times]) => sum + times, 0);

/** The same beginning in every line hides where they differ. */
const short = (call: string): string =>
  call
    .replace('/local/:scope/_apis/distributedtask/hubs/:hub', '…')
    .replace('/local/_apis/distributedtask', '…');
