import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** What a process used, from one moment to another. */
export interface Usage {
  /** The most memory that it ever held (resident), in MB. */
  readonly peakMb: number;
  /** CPU seconds of it and of the children that it has waited for; undefined where the system does not tell exactly. */
  readonly cpuSeconds: number | undefined;
}

const sampleEveryMs = 500;
/** What Linux counts CPU time in, on every machine that Node.js runs on. */
const ticksPerSecond = 100;

/** Measures a process from outside: by /proc where there is one, else by looking now and then. */
export class ProcessMeter {
  /** Resident memory when the measuring began, in MB. */
  readonly baselineMb: number;
  readonly #pid: number;
  readonly #cpuAtStart: number | undefined;
  readonly #over = new AbortController();
  #sampledMb: number;

  private constructor(pid: number, baselineMb: number, cpuAtStart: number | undefined) {
    this.#pid = pid;
    this.baselineMb = baselineMb;
    this.#sampledMb = baselineMb;
    this.#cpuAtStart = cpuAtStart;
    if (process.platform !== 'linux') void this.#sample();
  }

  static async start(pid: number | undefined): Promise<ProcessMeter> {
    if (pid === undefined) throw new Error('A process that is not there can not be measured.');
    return new ProcessMeter(pid, await residentMb(pid), await cpuSeconds(pid));
  }

  /** @throws when the process is gone. */
  async stop(): Promise<Usage> {
    this.#over.abort();
    const cpu = await cpuSeconds(this.#pid);
    return {
      peakMb: (await peakMb(this.#pid)) ?? Math.max(this.#sampledMb, await residentMb(this.#pid)),
      cpuSeconds: cpu === undefined ? undefined : cpu - (this.#cpuAtStart ?? 0),
    };
  }

  async #sample(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.#sampledMb = Math.max(this.#sampledMb, await residentMb(this.#pid).catch(() => 0));
      await sleep(sampleEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

const fromKb = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text) / 1_024;

async function status(pid: number, name: string): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return fromKb(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
}

const peakMb = (pid: number): Promise<number | undefined> => status(pid, 'VmHWM');

async function residentMb(pid: number): Promise<number> {
  const seen =
    (await status(pid, 'VmRSS')) ??
    fromKb((await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])).stdout.trim());
  if (seen === undefined) throw new Error(`How much memory process ${pid} holds can't be told.`);
  return seen;
}

async function cpuSeconds(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // pid (name, which may hold anything) state …; utime, stime, cutime and cstime are the 12th to 15th after the name.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}
