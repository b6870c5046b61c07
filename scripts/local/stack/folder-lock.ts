import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/**
 * Takes a data folder for this process: two stacks on one folder would each overwrite what the other has stored.
 * A lock whose process is gone is taken over.
 *
 * @returns what gives the folder back
 * @throws a sentence when a living process has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'stack.pid');
  // Complete before it is there under its name: a lock without a number would look like one left behind.
  const mine = `${path}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(mine, String(process.pid));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${folder} can not be used to keep data in: choose another folder. (${why})`, {
      cause: error,
    });
  }
  try {
    await take(mine, path, folder);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

async function take(mine: string, path: string, folder: string): Promise<void> {
  for (;;) {
    try {
      await link(mine, path);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const pid = Number.parseInt(await readFile(path, 'utf8').catch(() => ''), 10);
    if (isAlive(pid)) {
      throw new Error(
        `${folder} is in use by process ${pid}: end that one, choose another folder, or remove ${path} if ` +
          'that process is something else.',
      );
    }
    await rm(path, { force: true });
  }
}
