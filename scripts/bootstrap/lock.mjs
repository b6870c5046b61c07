import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const heartbeatMs = 2_000;
/** A holder that has not been heard of for so long is gone, even if its process id is in use again. */
const silentMs = 30_000;
const pollMs = 50;

const codeOf = error => error?.code;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function isStale(file) {
  try {
    const age = Date.now() - statSync(file).mtimeMs;
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    // A file without a number: its maker is between creating and writing, or died there.
    return Number.isNaN(pid) ? age > heartbeatMs : !isAlive(pid) || age > silentMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes a lock whose holder is gone. Only one may do so at a time, lest the second removes the next holder's. */
function breakStale(file) {
  const guard = `${file}.break`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (Date.now() - statSync(guard, { throwIfNoEntry: false })?.mtimeMs > silentMs) {
      rmSync(guard, { recursive: true, force: true });
    }
    return;
  }
  try {
    if (isStale(file)) rmSync(file, { force: true });
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}

function tryTake(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Does `work` while no other process holds the lock file, waiting for as long as one does.
 * A lock whose holder died is taken over.
 *
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  while (!tryTake(file)) {
    if (isStale(file)) breakStale(file);
    else await sleep(pollMs);
  }
  const release = () => rmSync(file, { force: true });
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimesSync(file, now, now);
  }, heartbeatMs);
  process.on('exit', release);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release);
    release();
  }
}
