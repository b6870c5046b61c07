import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../number-options.js';
import { runService } from '../service.js';
import { startStorage } from './storage.js';

interface Options {
  readonly data: string;
  readonly blobPort?: number;
  readonly queuePort?: number;
  readonly tablePort?: number;
  readonly faults: boolean;
  readonly seed?: number;
  readonly saveEveryWrite?: true;
}

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('It must be a port number, or 0 for a free one.');
  }
  return value;
};

const options = new Command('npm run local:storage --')
  .description('Blob, queue and table storage (Azurite) on this machine.')
  .requiredOption('--data <folder>', 'where the data is kept')
  .option('--blob-port <port>', 'default: a free one', port)
  .option('--queue-port <port>', 'default: a free one', port)
  .option('--table-port <port>', 'default: a free one', port)
  .option('--faults', 'let fault rules make it misbehave: PUT /_local/faults on any of its ports', false)
  .option('--seed <number>', 'makes the chances of fault rules reproducible', wholeNumber)
  .option('--save-every-write', 'lose nothing to kill -9, however much is stored; slower')
  .parse()
  .opts<Options>();

await runService('Storage', async () => {
  const storage = await startStorage({
    dataDir: options.data,
    faults: options.faults,
    seed: options.seed,
    saveEveryWrite: options.saveEveryWrite ?? false,
    ports: {
      blob: options.blobPort ?? 0,
      queue: options.queuePort ?? 0,
      table: options.tablePort ?? 0,
    },
  });
  console.log(`AzureWebJobsStorage=${storage.connectionString}`);
  return storage;
});

// Azurite's housekeeping goes on after a start that failed, and would keep this process.
if (process.exitCode) process.exit();
