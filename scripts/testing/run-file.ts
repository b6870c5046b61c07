import { register } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { record } from './record.js';
import { findsWatched } from './watched-package.js';

/**
 * One test process: `node run-file.js FILE`. Imports the file with a watched uvu, runs its suites when the whole
 * file has been read, and says so when all are through.
 */
declare global {
  var UVU_DEFER: number | undefined;
  var UVU_INDEX: number | undefined;
  var UVU_QUEUE: unknown[][] | undefined;
}

/** After its last test a file closes what it opened; a process that stays longer has leaked something. */
const openGraceMs = 3_000;

const runner = process.ppid;
setInterval(() => {
  // A runner that was killed can't end the group of processes that this one leads.
  if (process.ppid !== runner) process.kill(-process.pid, 'SIGKILL');
}, 1_000).unref();

const file = resolve(process.argv[2] ?? '');
process.argv.splice(1, 2, file);

// uvu's own seam for runners: suites queue up until exec() instead of starting as soon as the file pauses.
globalThis.UVU_DEFER = 1;
globalThis.UVU_QUEUE = [[null]];
globalThis.UVU_INDEX = 0;
if (!findsWatched(file)) register('./uvu-hooks.js', import.meta.url);
const { exec } = await import('uvu');
await import(pathToFileURL(file).href);
await exec();
record({ type: 'end' });

setTimeout(() => {
  record({ type: 'open', resources: process.getActiveResourcesInfo() });
  process.exit(1);
}, openGraceMs).unref();
