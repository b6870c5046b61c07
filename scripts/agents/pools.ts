import type { Command } from 'commander';
import type { Pool, Pools } from '../../shared/answers/pools.js';
import { addExamples } from './options.js';
import { colours, duration, flat, printJson, printStyled, remark, screenWidth, wrap } from './output.js';
import { openSession } from './session.js';

export function addPools(parent: Command): void {
  const command = parent
    .command('pools')
    .description('Shows each pool: what waits and why, what runs, and its nodes.');
  addExamples(command, ['$0 pools', '$0 pools --json']);
  command.action(async () => {
    const { client, json } = await openSession(command);
    const pools = await client.pools();
    if (json) return printJson(pools);
    if (pools.pools.length === 0) return remark('There are no pools: no profile is configured.');
    printStyled(await describe(pools));
  });
}

async function describe({ at, pools }: Pools): Promise<string> {
  const { table } = await import('./table.js');
  const ago = (iso: string): string => duration(Date.parse(at) - Date.parse(iso));
  const rows = pools.map(pool => [
    pool.devOpsPool,
    String(pool.waiting),
    String(pool.starting),
    String(pool.online),
    String(pool.busy),
    pool.nodes ? `${pool.nodes.current}/${pool.nodes.target}` : '?',
    pool.oldestWaitingSince === null ? '–' : ago(pool.oldestWaitingSince),
    pool.batchPool,
  ]);
  const head = ['pool', 'waiting', 'starting', 'online', 'busy', 'nodes', 'oldest wait', 'Batch pool'];
  const notes = pools.flatMap(pool => notesOn(pool, ago));
  return [await table(head, rows), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

const waitsFor: Readonly<Record<Pool['waits'][number]['reason'], string>> = {
  start: 'to be begun',
  freePlace: 'for a free place of the profile',
  task: 'for the Batch task to be made',
  node: 'for a free node',
  container: 'for the node and the container',
  registration: 'for the agent to register',
};

/** Why requests of a pool wait, and what is wrong with it. */
function notesOn(pool: Pool, ago: (iso: string) => string): readonly string[] {
  const waits = pool.waits.map(
    ({ reason, count, oldestSince, detail }) =>
      `${count} ${count === 1 ? 'waits' : 'wait'} ${waitsFor[reason]}, for up to ${ago(oldestSince)}: ${detail}`,
  );
  const { problem, nodes, batchPool } = pool;
  const unusable = nodes && nodes.unusable > 0 ? [`${nodes.unusable} of its nodes can not be used.`] : [];
  const unknown = nodes || problem ? [] : [`Batch does not tell now which nodes ${batchPool} has.`];
  const lines = [...waits, ...unusable, ...unknown].map(line => wrap(line, screenWidth(), '  '));
  if (problem) lines.unshift(colours.red(wrap(`${problem.code}: ${problem.message}`, screenWidth(), '  ')));
  return lines.length > 0 ? [colours.bold(flat(`${pool.devOpsPool} on ${batchPool}`)), ...lines] : [];
}
