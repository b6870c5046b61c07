import * as z from 'zod';
import type { Stack } from '../../local/stack/stack.js';
import type { AppName } from '../world.js';

/** How often each thing happened, by its name. */
export type Counts = Readonly<Record<string, number>>;

/** Calls that the parts of a stack got since they were started, by method and route. */
export interface Calls {
  readonly storage: Counts;
  /** Of the app only: the agents call Azure DevOps too. */
  readonly batch: Counts;
  readonly devops: Counts;
}

/** What each app names itself to Batch and Azure DevOps. */
const clients: Readonly<Record<AppName, string>> = {
  ours: 'azdo-batch-agents',
  article: 'bench-article',
  monitor: 'bench-monitor',
};

const Answer = z.record(z.string(), z.number());

/** Asking is not counted itself. */
export async function readCalls(stack: Pick<Stack, 'url'>, app: AppName): Promise<Calls> {
  const read = async (part: 'storage' | 'batch' | 'devops', query = ''): Promise<Counts> =>
    Answer.parse(await (await fetch(`${stack.url(part)}/_local/calls${query}`)).json());
  const client = `?client=${clients[app]}`;
  const [storage, batch, devops] = await Promise.all([
    read('storage'),
    read('batch', client),
    read('devops', client),
  ]);
  return { storage, batch, devops };
}

/** What came between two readings. */
export const callsBetween = (before: Calls, after: Calls): Calls => ({
  storage: difference(after.storage, before.storage),
  batch: difference(after.batch, before.batch),
  devops: difference(after.devops, before.devops),
});

export const difference = (minuend: Counts, subtrahend: Counts): Counts =>
  Object.fromEntries(
    Object.entries(minuend)
      .map(([name, count]): [string, number] => [name, count - (subtrahend[name] ?? 0)])
      .filter(([, count]) => count !== 0),
  );

export const sum = (counts: Counts): number => Object.values(counts).reduce((all, count) => all + count, 0);

export const scaled = (counts: Counts, factor: number): Counts =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count * factor]));

/** Of the names that are wanted. */
export const only = (counts: Counts, isWanted: (name: string) => boolean): Counts =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => isWanted(name)));

/** Under names that several may share. */
export function renamed(counts: Counts, rename: (name: string) => string): Counts {
  const kinds: Record<string, number> = {};
  for (const [name, count] of Object.entries(counts)) {
    const kind = rename(name);
    kinds[kind] = (kinds[kind] ?? 0) + count;
  }
  return kinds;
}
