import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cron } from 'croner';
import * as z from 'zod';
import type { TypedData } from './core-types.js';
import { errorMessage, type Log } from './log.js';
import { readJsonFile } from './settings.js';
import { parseTimeSpan } from './time-span.js';

/** Finds the first occurrence after a time; undefined: there is none. */
export type Schedule = (after: Date) => Date | undefined;

/**
 * Reads a timer's schedule: an NCRONTAB expression of six fields (with seconds) or five, or a TimeSpan.
 *
 * @param timezone IANA name; absent: UTC, as on Azure
 * @throws Error in words
 */
export function parseSchedule(text: string, timezone = 'UTC'): Schedule {
  const interval = parseTimeSpan(text);
  if (interval !== undefined) {
    if (interval < 1_000) throw new Error(`The schedule "${text}" is shorter than a second.`);
    return after => new Date(after.getTime() + interval);
  }
  let cron: Cron;
  try {
    // NCRONTAB joins day of month and day of week: both must match.
    cron = new Cron(text.trim(), { timezone, paused: true, domAndDow: true });
  } catch (error) {
    throw new Error(`The schedule "${text}" is neither NCRONTAB nor a TimeSpan: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  return after => cron.nextRun(after) ?? undefined;
}

const Status = z.object({ Last: z.string(), Next: z.string(), LastUpdated: z.string() });
type Status = z.output<typeof Status>;

export interface TimerOptions {
  readonly functionName: string;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
  /** Absent: as in Azure, on for schedules of a minute or more. */
  readonly useMonitor: boolean | undefined;
  readonly statusDir: string;
  readonly log: Log;
  run(data: TypedData): Promise<void>;
}

const noTime = '0001-01-01T00:00:00Z';
const maxTimeoutMs = 2 ** 31 - 1;

/** Runs one function on its schedule, never twice at once. What was missed while the host was down runs once, as past due. */
export class TimerListener {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #status: Status = { Last: noTime, Next: noTime, LastUpdated: noTime };
  readonly #path: string;
  readonly #monitored: boolean;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: TimerOptions) {
    this.#path = join(options.statusDir, `${encodeURIComponent(options.functionName)}.json`);
    const first = options.schedule(new Date());
    const second = first && options.schedule(first);
    const interval = first && second ? second.getTime() - first.getTime() : Number.POSITIVE_INFINITY;
    this.#monitored = options.useMonitor ?? interval >= 60_000;
  }

  async start(): Promise<void> {
    const now = new Date();
    const known = this.#monitored ? Status.safeParse(await readJsonFile(this.#path)) : undefined;
    if (known?.success) this.#status = known.data;
    const pastDue = known?.success === true && Date.parse(known.data.Next) < now.getTime();
    if (pastDue || this.options.runOnStartup) this.#running = this.#fire(now, pastDue);
    else this.#plan(now);
  }

  /** Runs the function once beside its schedule, after a run that is going on. */
  runNow(): void {
    if (this.#stopped) return;
    this.#running = this.#after(this.#running, () => this.#run(false));
  }

  get functionName(): string {
    return this.options.functionName;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(after: Date): void {
    if (this.#stopped) return;
    const next = this.options.schedule(after);
    if (!next) {
      this.options.log.write(
        'warning',
        'Host.Timer',
        `${this.options.functionName} has no further occurrence.`,
      );
      return;
    }
    this.#status = { ...this.#status, Next: next.toISOString() };
    this.#wait(next);
  }

  #wait(next: Date): void {
    const ms = next.getTime() - Date.now();
    this.#timer = setTimeout(
      () => {
        if (next.getTime() > Date.now()) this.#wait(next);
        else this.#running = this.#after(this.#running, () => this.#fire(next, false));
      },
      Math.max(0, Math.min(ms, maxTimeoutMs)),
    );
  }

  async #after(before: Promise<void>, work: () => Promise<void>): Promise<void> {
    await before;
    await work();
  }

  async #fire(due: Date, IsPastDue: boolean): Promise<void> {
    const started = new Date();
    await this.#run(IsPastDue);
    // An occurrence that came while it ran is left out: a timer never overlaps itself.
    const after = new Date(Math.max(due.getTime(), Date.now() - 1));
    this.#status = {
      Last: due.toISOString(),
      Next: this.options.schedule(after)?.toISOString() ?? noTime,
      LastUpdated: started.toISOString(),
    };
    await this.#save();
    this.#plan(after);
  }

  async #run(IsPastDue: boolean): Promise<void> {
    const ScheduleStatus = this.#monitored ? this.#status : null;
    const timer = { Schedule: { AdjustForDST: true }, ScheduleStatus, IsPastDue };
    try {
      await this.options.run({ json: JSON.stringify(timer) });
    } catch {
      // Logged where it was invoked; the next occurrence is the next attempt.
    }
  }

  async #save(): Promise<void> {
    if (!this.#monitored) return;
    try {
      await mkdir(this.options.statusDir, { recursive: true });
      const beside = `${this.#path}.new`;
      await writeFile(beside, JSON.stringify(this.#status));
      await rename(beside, this.#path);
    } catch (error) {
      this.options.log.write(
        'warning',
        'Host.Timer',
        `${this.#path} could not be written: ${errorMessage(error)}`,
      );
    }
  }
}
