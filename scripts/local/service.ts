/**
 * How every part of the one-machine stack starts and stops, so that each can run alone or under a supervisor.
 *
 * A part tells that it is ready twice: as a line for a person, and as an IPC message for the supervisor that
 * forked it. It ends on SIGINT, SIGTERM or when its supervisor is gone: a supervisor that was killed can't
 * clean up after itself, so its children must.
 */
export interface RunningService {
  /** Where the part answers, e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  /** What else a supervisor must know to connect others to this part. Never a secret. */
  readonly details?: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface ReadyMessage {
  readonly type: 'ready';
  readonly url: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** Connections that may wait to be taken: of thousands that come at once, the default would let the latter ones be reset. */
export const listenBacklog = 4_096;

/** Long enough for a graceful end, short enough that Ctrl-C never seems to hang. */
const closeTimeoutMs = 8_000;

export async function runService(name: string, start: () => Promise<RunningService>): Promise<void> {
  let running: RunningService;
  try {
    running = await start();
  } catch (error) {
    console.error(`${name} could not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    if (process.connected) process.disconnect();
    return;
  }

  let closing = false;
  const close = (): void => {
    if (closing) return;
    closing = true;
    setTimeout(() => process.exit(1), closeTimeoutMs).unref();
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(
          `${name} did not end cleanly: ${error instanceof Error ? error.message : String(error)}`,
        );
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
  if (process.send) {
    process.on('disconnect', close);
    const { url, details } = running;
    const ready: ReadyMessage = { type: 'ready', url, ...(details && { details }) };
    process.send(ready);
  }
  console.log(`${name} is ready at ${running.url}`);
}
