import { Command, InvalidArgumentError, Option } from 'commander';
import { runService } from '../service.js';
import { startDevOps } from './server.js';

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.');
  return value;
};
const seconds = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number of seconds.');
  return value * 1000;
};
const names = (text: string): string[] =>
  text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');

const program = new Command('local:devops')
  .description(
    'A stand-in for Azure DevOps on 127.0.0.1: agent pools, agents, plans, and a player of pipelines under /_local/runs.\n' +
      'It accepts the personal access token in the environment variable AZDO_LOCAL_PAT, else the one in DATA/pat ' +
      '(made when missing). A token is never an argument: those can be seen by everyone on the machine.',
  )
  .requiredOption('--data <folder>', 'where everything is kept')
  .option('--port <number>', 'port to listen on; 0 for a free one', wholeNumber, 0)
  .option('--pools <names>', 'agent pools to create when missing, separated by commas', names)
  .option('--allow-identity', 'offer a stand-in of the metadata service at /_local/identity/token')
  .addOption(
    new Option('--offline-after <seconds>', 'silence after which an agent is offline')
      .argParser(seconds)
      .default(5_000, '5'),
  )
  .addOption(
    new Option('--lock <seconds>', 'silence after which the job of an agent is given up')
      .argParser(seconds)
      .default(60_000, '60'),
  )
  .option('--seed <number>', 'makes the chances of fault rules reproducible', wholeNumber)
  .parse();

const options = program.opts<{
  data: string;
  port: number;
  pools?: string[];
  allowIdentity?: boolean;
  offlineAfter: number;
  lock: number;
  seed?: number;
}>();

await runService('Azure DevOps (local)', () =>
  startDevOps({
    dataDir: options.data,
    port: options.port,
    pat: process.env['AZDO_LOCAL_PAT'],
    pools: options.pools ?? [],
    allowIdentity: options.allowIdentity ?? false,
    offlineAfterMs: options.offlineAfter,
    lockMs: options.lock,
    seed: options.seed,
  }),
);
