import { Burst, Order, type Reply } from './protocol.js';

/** One call. @throws a short reason, by which errors are counted */
export type Call = () => Promise<void>;

/**
 * The side of the child process: is set up once, then makes a burst at each order, and ends with its parent.
 *
 * @param prepare gets the first message and gives what one call is; what it does beforehand is not measured.
 */
export function serveBursts(prepare: (setup: unknown) => Promise<Call>): void {
  const reply = (message: Reply): void => void process.send?.(message);
  const fail = (error: unknown): void =>
    reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  let call: Promise<Call> | undefined;
  process.on('message', message => {
    if (!call) {
      call = prepare(message);
      call.then(() => reply({ type: 'ready' }), fail);
      return;
    }
    const { count } = Order.parse(message);
    call.then(one => makeBurst(one, count)).then(burst => reply({ type: 'burst', burst }), fail);
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole terminal; it is the parent that says when this is over.
  process.on('SIGINT', () => {});
}

async function makeBurst(call: Call, count: number): Promise<Burst> {
  const latenciesMs: number[] = [];
  const errors: Record<string, number> = {};
  const cpu = process.cpuUsage();
  const released = performance.now();
  await Promise.all(
    Array.from({ length: count }, async () => {
      try {
        await call();
        latenciesMs.push(performance.now() - released);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        errors[reason] = (errors[reason] ?? 0) + 1;
      }
    }),
  );
  const elapsedMs = performance.now() - released;
  const { user, system } = process.cpuUsage(cpu);
  return Burst.parse({ latenciesMs, errors, elapsedMs, cpuMs: (user + system) / 1_000 });
}
