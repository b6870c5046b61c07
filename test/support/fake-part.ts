import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runService } from '../../scripts/local/service.js';

/**
 * A part of the stack for tests of its supervisor: it answers, counts its starts in its data folder and can be told to
 * fail. Faults are read from files in that folder, as a test has no other hand on it before it runs.
 */
const { values } = parseArgs({
  options: { data: { type: 'string' }, port: { type: 'string', default: '0' } },
  strict: false,
});
const data = String(values['data']);

await mkdir(data, { recursive: true });
const starts = join(data, 'starts');
appendFileSync(starts, '.');
if (existsSync(join(data, 'fail'))) throw new Error('The fake part was told to fail.');

// Of few modules, as a test starts dozens of them: no web framework, no parser of schemas.
await runService('Fake', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/die') process.exit(7);
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        pid: process.pid,
        args: process.argv.slice(2),
        env: process.env,
        starts: readFileSync(starts, 'utf8').length,
      }),
    );
  });
  server.listen(Number(values['port']), '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It has no port.');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    details: { connectionString: `TableEndpoint=${url}/devstoreaccount1` },
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
});
