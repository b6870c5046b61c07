import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { inheritedEnvironment } from '../../local/stack/environment.js';
import { root } from '../../root.js';
import { type Burst, Reply, type Setup } from './protocol.js';

const programs = {
  caller: join(root, 'dist', 'scripts', 'bench', 'bursts', 'caller.js'),
  floor: join(root, 'dist', 'scripts', 'bench', 'contenders', 'floor.js'),
};

/** A process that makes bursts of calls, so that its own work does not delay those who measure, or the reverse. */
export interface Burster {
  /** Makes so many calls at the same moment and waits for all their answers. */
  burst(count: number): Promise<Burst>;
  end(): Promise<void>;
}

/** @throws when the process can't be set up, which includes a first call that is not measured */
export async function startBurster(
  program: keyof typeof programs,
  setup: Setup,
  signal: AbortSignal,
): Promise<Burster> {
  signal.throwIfAborted();
  const child = fork(programs[program], [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--enable-source-maps'],
    env: inheritedEnvironment(),
  });
  let words = '';
  child.stderr?.on('data', data => {
    words = (words + String(data)).slice(-2_000);
  });
  const exited = new Promise<void>(resolve => {
    child.once('exit', () => resolve());
  });
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const ask = async (message: object): Promise<Reply> => {
    const reply = await answer(child, message, signal, () => words);
    if (reply.type === 'failed') throw new Error(`The ${program} failed: ${reply.message}`);
    return reply;
  };
  try {
    await ask(setup);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    end,
    burst: async count => {
      const reply = await ask({ type: 'burst', count });
      if (reply.type !== 'burst') throw new Error(`The ${program} answered out of turn.`);
      return reply.burst;
    },
  };
}

function answer(
  child: ChildProcess,
  message: object,
  signal: AbortSignal,
  words: () => string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const onMessage = (reply: unknown): void => settle(() => resolve(Reply.parse(reply)));
    const onExit = (): void =>
      settle(() => {
        throw new Error(`The process that makes the calls has ended. ${words()}`.trim());
      });
    const onAbort = (): void => settle(() => signal.throwIfAborted());
    const settle = (outcome: () => void): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
      try {
        outcome();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
    signal.addEventListener('abort', onAbort);
    child.send(message, error => {
      if (error) settle(() => reject(error));
    });
  });
}
