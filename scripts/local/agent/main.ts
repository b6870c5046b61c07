import { runProgram } from './program.js';

/** The local agent as a process: what the agent image runs. */
const shutdown = new AbortController();
const death = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (shutdown.signal.aborted) return;
    console.log(`${signal}: ending`);
    shutdown.abort('shutdown');
  });
}

process.exitCode = await runProgram({
  env: process.env,
  cwd: process.cwd(),
  say: line => console.log(line),
  complain: line => console.error(line),
  shutdown: shutdown.signal,
  death: death.signal,
  die: () => {
    // Its steps are in process groups of their own, and would outlive it.
    death.abort();
    process.kill(process.pid, 'SIGKILL');
  },
});
