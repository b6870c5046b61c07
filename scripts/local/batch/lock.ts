import { readFileSync, rmSync, writeFileSync } from 'node:fs';

import { identify, isAlive } from './processes.js';
import { ProcessIdentity } from './records.js';

/**
 * Keeps a second server out of a data folder: the two would overwrite each other's journal. A lock whose holder was
 * killed is taken over.
 *
 * @returns how to give the folder back.
 * @throws Error with a sentence that names the holder.
 */
export function lockFolder(file: string): () => void {
  const holder = readHolder(file);
  if (holder && isAlive(holder)) {
    throw new Error(
      `Its data folder is in use by process ${holder.pid}. End that, or give another folder (${file}).`,
    );
  }
  writeFileSync(file, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return ProcessIdentity.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // There is none, or it was killed while it wrote.
    return undefined;
  }
}
