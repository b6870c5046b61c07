import { Command, InvalidArgumentError, Option } from 'commander';
import { seconds, wholeNumber } from '../number-options.js';
import { runService } from '../service.js';
import { startDevOps } from './server.js';

const patience = (text: string): number => {
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
    'A stand-in for Azure DevOps on 127.0.0.1: agent pools, agents, plans, and a player of pipelines under /_local/pipelines and /_local/runs.\n' +
      'It accepts the personal access token in the environment variable AZDO_LOCAL_PAT, else the one in DATA/pat ' +
      '(made when missing). A token is never an argument: those can be seen by everyone on the machine.\n' +
      'Messages of PublishToAzureServiceBus go to the queue agent-requests of the storage account whose connection ' +
      'string is in AZDO_LOCAL_QUEUE_STORAGE.',
  )
  .requiredOption('--data <folder>', 'where everything is kept')
  .option('--port <number>', 'port to listen on; 0 for a free one', wholeNumber, 0)
  .option('--pools <names>', 'agent pools to create when missing, separated by commas', names)
  .option('--allow-identity', 'offer a stand-in of the metadata service at /_local/identity/token')
  .addOption(
    new Option('--offline-after <seconds>', 'silence after which an agent is offline')
      .argParser(patience)
      .default(5_000, '5'),
  )
  .addOption(
    new Option('--lock <seconds>', 'silence after which the job of an agent is given up')
      .argParser(patience)
      .default(60_000, '60'),
  )
  .addOption(
    new Option(
      '--answer-timeout <seconds>',
      'how long AzureFunction@1 waits for the answer of a function; the real one waits 20 s',
    )
      .argParser(patience)
      .default(20_000, '20'),
  )
  .option('--skew <seconds>', 'let its clock be ahead by this, or behind when negative', seconds, 0)
  .option('--seed <number>', 'makes the chances of fault rules reproducible', wholeNumber)
  .parse();

const options = program.opts<{
  data: string;
  port: number;
  pools?: string[];
  allowIdentity?: boolean;
  offlineAfter: number;
  lock: number;
  answerTimeout: number;
  seed?: number;
  skew: number;
}>();

await runService('Azure DevOps (local)', () =>
  startDevOps({
    dataDir: options.data,
    port: options.port,
    pat: process.env['AZDO_LOCAL_PAT'],
    queueStorage: process.env['AZDO_LOCAL_QUEUE_STORAGE'] || undefined,
    pools: options.pools ?? [],
    allowIdentity: options.allowIdentity ?? false,
    offlineAfterMs: options.offlineAfter,
    lockMs: options.lock,
    answerTimeoutMs: options.answerTimeout,
    seed: options.seed,
    skewSeconds: options.skew,
  }),
);
