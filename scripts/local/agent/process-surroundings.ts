import type { Surroundings } from './surroundings.js';

/** What surrounds an agent that is this process. */
export function processSurroundings(): Surroundings {
  const shutdown = new AbortController();
  const death = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (shutdown.signal.aborted) return;
      console.log(`${signal}: ending`);
      shutdown.abort('shutdown');
    });
  }
  return {
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
  };
}
