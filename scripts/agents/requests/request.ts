import { type Command, Option } from 'commander';
import type { ShownRequest } from '../client.js';
import { CommandError, exitCodes, type FieldError, Refused } from '../command-error.js';
import { addExamples, addPatience, aNumber, nameValues, programName } from '../options.js';
import { print, printJson, remark } from '../output.js';
import { openSession } from '../session.js';

interface Options {
  readonly profile?: string;
  readonly id?: string;
  readonly capability?: Readonly<Record<string, string>>;
  readonly tag?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly attempt?: string;
  readonly wait?: 'online' | 'end';
  readonly patience: number;
}

export function addRequest(parent: Command): void {
  const command = parent
    .command('request')
    .description('Asks for an agent.')
    .option('--profile <name>', 'which kind of agent (default: the first that is configured)')
    .option('--id <id>', 'your own id: asking again under it starts nothing new')
    .option('--capability <name=value>', 'for jobs to demand; may be repeated', nameValues)
    .option('--tag <name=value>', 'kept with the request and shown; may be repeated', nameValues)
    .option('--timeout <minutes>', 'give up after this long (default: that of the profile)', aNumber)
    .option('--attempt <text>', 'tells a re-run from a repeat')
    .addOption(
      new Option('--wait [until]', 'wait until the agent is online, or until the end of its job')
        .choices(['online', 'end'])
        .preset('online'),
    );
  addPatience(command);
  addExamples(command, [
    '$0 request',
    '$0 request --profile ubuntu --id nightly-42 --wait',
    '$0 request --capability AGENT_FOR=4711 --tag team=payments --wait end',
  ]);
  command.action(async (options: Options) => {
    const { client, json } = await openSession(command);
    const { status, replayed, value } = await client.ask(bodyOf(options)).catch(explain);
    const { requestId, links } = value;
    if (replayed) {
      remark(
        status === 200
          ? `Request ${requestId} was there and is ${value.state}: nothing was started. Choose another --id for a new one.`
          : `Request ${requestId} was there: nothing new was started.`,
      );
    }
    if (options.wait === undefined) {
      if (json) return printJson(value);
      print(`${requestId}\n${links.self}`);
      return remark(`Follow it with: ${programName(command)} status ${requestId} --watch`);
    }
    if (!json) print(`${requestId}\n${links.self}`);
    const { watch } = await import('./watch.js');
    const { wait, patience } = options;
    const last = await watch(client, value, { json, quiet: json, patience, until: wait });
    if (json) printJson(last);
    process.exitCode = came(last, wait) ? exitCodes.ok : exitCodes.endedOtherwise;
  });
}

/** An agent that no job came for was online all the same. */
const came = ({ state }: ShownRequest, wait: 'online' | 'end'): boolean =>
  wait === 'end' ? state === 'completed' : ['online', 'busy', 'completed', 'expired'].includes(state);

const bodyOf = ({ profile, id, capability, tag, timeout, attempt }: Options): object => ({
  ...(profile === undefined ? {} : { profile }),
  ...(id === undefined ? {} : { requestId: id }),
  ...(capability === undefined ? {} : { capabilities: capability }),
  ...(tag === undefined ? {} : { tags: tag }),
  ...(timeout === undefined ? {} : { timeoutMinutes: timeout }),
  ...(attempt === undefined ? {} : { attempt }),
});

/** The option behind each field: people are told of what they wrote. */
const optionOf: Readonly<Record<string, string>> = {
  profile: '--profile',
  requestId: '--id',
  capabilities: '--capability',
  tags: '--tag',
  timeoutMinutes: '--timeout',
  attempt: '--attempt',
};

/** Everything that is wrong, one a line. */
function explain(error: unknown): never {
  if (!(error instanceof Refused) || error.errors.length === 0) throw error;
  throw new CommandError(error.exitCode, error.errors.map(lineOf).join('\n'));
}

function lineOf({ in: where, name, detail }: FieldError): string {
  const [field = '', ...rest] = name.split('.');
  const option = where === 'body' ? optionOf[field] : undefined;
  if (option === undefined) return `${where}${name === '' ? '' : ` ${name}`} ${detail}`;
  return `${option}${rest.length > 0 ? ` ${rest.join('.')}` : ''} ${detail}`;
}
