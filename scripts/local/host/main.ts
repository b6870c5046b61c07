import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Command, InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { runService } from '../service.js';
import { startHost } from './host.js';
import { errorText } from './log.js';

const toPort = (text: string): number => {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
};

const program = new Command('host')
  .description(
    'A small Azure Functions host: HTTP, queue, timer and Durable triggers of one built Node.js app.',
  )
  .requiredOption('--app <dir>', 'folder of the app: host.json, package.json, local.settings.json')
  .option('--port <number>', 'port to listen on; 0: a free one', toPort, 0)
  .option('--prefer-port <number>', 'where a free one is wanted: this one, if it is free', toPort, 0)
  .option('--data <dir>', 'where the host keeps its own state; default: <app>/.local/host')
  .option('--keys <file>', 'keys file, made with random keys if absent; default: <data>/keys.json')
  .parse();

const { app, port, preferPort, data, keys } = z
  .object({
    app: z.string(),
    port: z.number(),
    preferPort: z.number(),
    data: z.string().optional(),
    keys: z.string().optional(),
  })
  .parse(program.opts());

// Where there is much memory V8 lets garbage grow to some times of what lives: a burst would take twice the memory for
// no gain in speed. In percent of what lives.
setFlagsFromString('--heap-growing-percent=60');

const appDir = resolve(app);
const dataDir = data === undefined ? undefined : resolve(data);
const keysFile = keys === undefined ? undefined : resolve(keys);

// What nobody handles is a fault of one function, and must not end all the others.
process.on('unhandledRejection', reason => {
  console.error(`Unhandled rejection: ${errorText(reason)}`);
});
process.on('uncaughtException', error => {
  console.error(`Uncaught exception: ${errorText(error)}`);
});

await runService('host', async () => {
  if (!existsSync(appDir)) throw new Error(`there is no folder ${appDir}.`);
  process.chdir(appDir);
  return await startHost({
    appDir,
    port,
    preferredPort: preferPort,
    ...(dataDir !== undefined && { dataDir }),
    ...(keysFile !== undefined && { keysFile }),
  });
});
// The app may have opened what would keep a host alive that could not start.
if (process.exitCode === 1) process.exit();
