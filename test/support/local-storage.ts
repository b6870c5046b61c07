import { type ChildProcess, fork } from 'node:child_process';
import * as z from 'zod';
import { programs } from '../../scripts/local/stack/programs.js';
import { makeTempFolder } from './temp-folder.js';

export interface LocalStorage {
  readonly connectionString: string;
  close(): Promise<void>;
}

const Ready = z.object({ details: z.object({ connectionString: z.string() }) });

const children = new Set<ChildProcess>();
// A test that leaves early must leave no process behind either.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A real storage server as a process of its own, on free ports, gone with the test and all that it holds. */
export async function startLocalStorage(): Promise<LocalStorage> {
  const folder = await makeTempFolder('storage-');
  const child = fork(programs.storage, ['--data', folder.path], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  children.add(child);
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    children.delete(child);
    await folder.remove();
  };
  const message = await new Promise<unknown>(resolve => {
    child.once('message', resolve);
    void exited.then(() => resolve(undefined));
  });
  const ready = Ready.safeParse(message);
  if (!ready.success) {
    await close();
    throw new Error('The storage did not start; it says why above.');
  }
  return { connectionString: ready.data.details.connectionString, close };
}
