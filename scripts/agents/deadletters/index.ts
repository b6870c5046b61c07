import type { Command } from 'commander';
import { addExamples } from '../options.js';
import { addList } from './list.js';
import { addPurge } from './purge.js';
import { addRedrive } from './redrive.js';
import { addShow } from './show.js';

export function addDeadLetters(program: Command): void {
  const group = program
    .command('deadletters')
    .description('Requests that were given up: look at them, redrive them, be done with them.');
  addExamples(group, [
    '$0 deadletters list --code PoolMissing',
    '$0 deadletters show nightly-42',
    '$0 deadletters redrive --all --code PoolMissing --dry-run',
  ]);
  for (const add of [addList, addShow, addRedrive, addPurge]) add(group);
}
