import type { Command } from 'commander';
import type { Events } from '../../shared/answers/request.js';
import type { AgentsClient } from './client.js';
import { addExamples, addPatience, tag as asTag } from './options.js';
import { flat, hang, print, printJsonLine, remark, time } from './output.js';
import { createPatience, type Patiently } from './patience.js';
import { openSession } from './session.js';
import { followUntilInterrupted } from './until-interrupted.js';

type LifeEvent = Events['events'][number];

interface Options {
  readonly profile?: string;
  readonly tag?: string;
  readonly patience: number;
}

const waitSeconds = 20;

export function addTail(parent: Command): void {
  const command = parent
    .command('tail')
    .description('Follows what happens to all requests, one line each, until Ctrl-C.')
    .option('--profile <name>', 'only to those of this profile')
    .option('--tag <name=value>', 'only to those with this tag', asTag);
  addPatience(command);
  addExamples(command, [
    '$0 tail',
    '$0 tail --profile ubuntu --tag team=payments',
    "$0 tail --json | jq -c 'select(.failureCode)'",
  ]);
  command.action(async (options: Options) => {
    const { client, json } = await openSession(command);
    const patiently = createPatience(options.patience, false);
    const isWanted = createFilter(client, patiently, options);
    await followUntilInterrupted(
      () => undefined,
      async () => {
        // The first answer is at once: whoever has the wrong key should not have to wait to be told.
        let after: string | undefined;
        for (;;) {
          const { events, next } = await patiently(async again =>
            client.events(after, again || after === undefined ? 0 : waitSeconds),
          );
          if (after === undefined && process.stderr.isTTY) remark('Following; Ctrl-C ends it.');
          after = next;
          for (const event of events) {
            if (await isWanted(event)) (json ? printJsonLine : printEvent)(event);
          }
        }
      },
    );
  });
}

const printEvent = ({ at, requestId, profile, state, attempt, detail }: LifeEvent): void =>
  print(hang(`${time(at)}  ${requestId}  ${profile || '–'}  ${state}  attempt ${attempt}  `, flat(detail)));

/** So many requests are remembered: tags of a request do not change, so each is looked up once. */
const remembered = 5_000;

/** Events do not carry tags, so whoever filters by one asks once for each request. */
function createFilter(
  client: AgentsClient,
  patiently: Patiently,
  { profile, tag }: Options,
): (event: LifeEvent) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async event => {
    if (profile !== undefined && event.profile !== profile) return false;
    if (tag === undefined) return true;
    const before = known.get(event.requestId);
    if (before !== undefined) return before;
    const { tags } = await patiently(async () => client.request(event.requestId));
    const has = Object.entries(tags).some(([name, value]) => `${name}=${value}` === tag);
    for (const oldest of known.keys()) {
      if (known.size < remembered) break;
      known.delete(oldest);
    }
    known.set(event.requestId, has);
    return has;
  };
}
