import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { neededParts, type Settings } from '../../../scripts/local/stack/plan.js';

const plan = suite('which parts of the stack start');

const table: readonly (readonly [string, Settings, readonly string[]])[] = [
  ['all of them without settings', {}, ['storage', 'devops', 'batch', 'host']],
  ['an empty setting names no service', { AzDOUrl: '' }, ['storage', 'devops', 'batch', 'host']],
  [
    'storage for the emulator is still a stand-in',
    { AzureWebJobsStorage: 'UseDevelopmentStorage=true' },
    ['storage', 'devops', 'batch', 'host'],
  ],
  [
    'no storage beside a real account',
    { AzureWebJobsStorage: 'AccountName=x;AccountKey=y' },
    ['devops', 'batch', 'host'],
  ],
  [
    'no storage beside an account reached by identity',
    { AzureWebJobsStorage__queueServiceUri: 'https://x.queue.core.windows.net' },
    ['devops', 'batch', 'host'],
  ],
  [
    'no Azure DevOps beside a real organisation',
    { AzDOUrl: 'https://dev.azure.com/x' },
    ['storage', 'batch', 'host'],
  ],
  [
    'no Batch beside a real account',
    { BatchAccountUrl: 'https://x.batch.azure.com' },
    ['storage', 'devops', 'host'],
  ],
];

for (const [name, settings, parts] of table) {
  plan(name, () => assert.equal(neededParts(settings), parts));
}

plan.run();
