import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import Fastify from 'fastify';
import { runService } from '../../scripts/local/service.js';

/**
 * A part of the stack for tests of its supervisor: it answers, counts its starts in its data folder and can be told to
 * fail. Faults are read from files in that folder, as a test has no other hand on it before it runs.
 */
const options = new Command()
  .requiredOption('--data <folder>')
  .option('--port <port>', '', Number, 0)
  .allowUnknownOption()
  .allowExcessArguments()
  .parse()
  .opts<{ data: string; port: number }>();

await mkdir(options.data, { recursive: true });
const starts = join(options.data, 'starts');
appendFileSync(starts, '.');
if (existsSync(join(options.data, 'fail'))) throw new Error('The fake part was told to fail.');

await runService('Fake', async () => {
  const server = Fastify();
  server.get('/', async () => ({
    pid: process.pid,
    args: process.argv.slice(2),
    env: process.env,
    starts: readFileSync(starts, 'utf8').length,
  }));
  server.get('/die', () => process.exit(7));
  const url = await server.listen({ host: '127.0.0.1', port: options.port });
  return {
    url,
    details: { connectionString: `TableEndpoint=${url}/devstoreaccount1` },
    close: () => server.close(),
  };
});
