import { Command, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';

import { seconds, wholeNumber } from '../number-options.js';
import { runService } from '../service.js';
import { whyNoStartScript } from './agent-image.js';
import { ImageCommands, readConfigFile } from './images.js';
import { PoolConfig } from './records.js';
import { startLocalBatch } from './server.js';

const port = (text: string): number => {
  const parsed = z.coerce.number().int().min(0).max(65_535).safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('It must be a port number, or 0 for a free one.');
  return parsed.data;
};

const Options = z.object({
  port: z.int(),
  data: z.string(),
  account: z.string().optional(),
  key: z.string().optional(),
  pools: z.string().optional(),
  images: z.string().optional(),
  runner: z.enum(['auto', 'docker', 'process', 'inline']),
  seed: z.int().optional(),
  skew: z.number(),
});

const command = new Command('local:batch')
  .description('The Azure Batch REST API on this machine: keeps jobs and tasks, and really runs them.')
  .option('--port <number>', 'port to listen on; 0: a free one', port, 0)
  .requiredOption('--data <folder>', 'folder for all state; the same folder goes on where it was')
  .option('--account <name>', 'account name that requests must be signed for (default: localbatch)')
  .addOption(
    new Option('--key <base64>', 'account key; seen by every user of the machine when given here')
      .env('LOCAL_BATCH_KEY')
      .argParser(base64),
  )
  .option('--pools <file>', 'JSON array of pools (default: batchLinux and batchWindows)')
  .option('--images <file>', 'JSON array of {image, command}: what runs for an image without Docker')
  .addOption(
    new Option(
      '--runner <kind>',
      'run container tasks as containers or as processes; inline: agents run inside this process, for load ' +
        "(they can't be killed one by one from outside), all else as processes",
    )
      .choices(['auto', 'docker', 'process', 'inline'])
      .default('auto'),
  )
  .option('--skew <seconds>', 'let its clock be ahead by this, or behind when negative', seconds, 0)
  .option('--seed <number>', 'makes the chances of fault rules reproducible', wholeNumber)
  .parse();

function base64(text: string): string {
  if (!z.base64().min(1).safeParse(text).success) throw new InvalidArgumentError('It must be base64.');
  return text;
}

const told = {
  docker: 'containers',
  process: 'processes',
  inline: 'processes, agents inside this one',
} as const;
const options = Options.parse(command.opts());

await runService('Local Batch', async () => {
  const batch = await startLocalBatch({
    port: options.port,
    dataDir: options.data,
    runner: options.runner,
    seed: options.seed,
    skewSeconds: options.skew,
    ...(options.account !== undefined && { account: options.account }),
    ...(options.key !== undefined && { key: options.key }),
    ...(options.pools !== undefined && {
      pools: readConfigFile('pools', options.pools, z.array(PoolConfig)),
    }),
    ...(options.images !== undefined && { images: readConfigFile('images', options.images, ImageCommands) }),
  });
  console.log(`Local Batch: account ${batch.account}, tasks run as ${told[batch.runner]}`);
  const reason = whyNoStartScript();
  if (batch.runner === 'process' && reason !== undefined)
    console.log(`Agents run without the start script of their image: ${reason}.`);
  return batch;
});
