import { type ChildProcess, fork } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import * as z from 'zod';
import { killSurvivors } from '../../processes.js';

/** What a part is before it runs. */
export interface PartSpec {
  readonly name: string;
  /** Compiled program; it starts with `runService`. */
  readonly program: string;
  /**
   * Its arguments. None of them may be secret.
   *
   * @param last what the part said the last time it was ready, so that it can ask for the same ports again
   */
  readonly args: (last: Ready | undefined) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface PartEvents {
  /** A line that the part printed. */
  readonly onLine?: (line: string) => void;
  /** The part ended, and nobody had asked it to. */
  readonly onDeath?: (how: string) => void;
}

const Ready = z.object({
  type: z.literal('ready'),
  url: z.url(),
  details: z.record(z.string(), z.string()).optional(),
});
export type Ready = z.infer<typeof Ready>;

/** A part that would not start. */
export class NotReady extends Error {
  override readonly name = 'NotReady';

  /**
   * @param how what became of it, without what it printed: whoever has shown that already need not do so again.
   * @param output the last lines that it printed.
   */
  constructor(
    readonly part: string,
    readonly how: string,
    output: string,
  ) {
    super(output === '' ? how : `${how} Its last words:\n${output}`);
  }
}

const startTimeoutMs = 60_000;
/** A part gives itself 8 seconds to end. */
const stopTimeoutMs = 10_000;
const linesKept = 40;

interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
  expected: boolean;
}

/** One part of the stack: a process of its own, in a group of its own, so that Ctrl-C reaches its supervisor alone. */
export class Part {
  #run: Run | undefined;
  #ready: Ready | undefined;
  #lines: string[] = [];

  constructor(
    readonly spec: PartSpec,
    private readonly events: PartEvents = {},
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  /** The last lines that it printed, of all its runs. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** What it said when it was ready. */
  get ready(): Ready {
    if (!this.#ready) throw new Error(`${this.name} has not been started.`);
    return this.#ready;
  }

  /**
   * Starts the process and waits until it is ready; on its ports of the last time, if there was one.
   *
   * @throws a sentence with the last lines it printed, when it is not ready within a minute or ends before
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#run) throw new Error(`${this.name} is running already.`);
    signal?.throwIfAborted();
    const run = this.#fork();
    const { child } = run;
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      this.#ready = await new Promise<Ready>((resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`${this.name} was not ready within ${startTimeoutMs / 1000} s.`)),
          startTimeoutMs,
        );
        onAbort = () => reject(new Error('The start was called off.'));
        signal?.addEventListener('abort', onAbort);
        child.on('message', message => {
          const ready = Ready.safeParse(message);
          if (ready.success) resolve(ready.data);
        });
        void run.exited.then(how => reject(new Error(`${this.name} ${how} before it was ready.`)));
      });
    } catch (error) {
      run.expected = true;
      await this.kill();
      if (signal?.aborted || !(error instanceof Error)) throw error;
      throw new NotReady(this.name, error.message, this.output);
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
    }
    run.expected = false;
    const reportDeath = (how: string): void => {
      if (!run.expected) this.events.onDeath?.(how);
    };
    void run.exited.then(reportDeath);
  }

  #fork(): Run {
    const child = fork(this.spec.program, [...this.spec.args(this.#ready)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--enable-source-maps'],
      env: this.spec.env,
    });
    this.#listen(child);
    const exited = new Promise<string>(resolve => {
      child.once('error', error => resolve(`could not run (${error.message})`));
      child.once('exit', (code, signal) =>
        resolve(signal ? `was killed by ${signal}` : `ended with exit code ${code}`),
      );
    });
    const run: Run = { child, exited, expected: true };
    this.#run = run;
    const forget = (): void => {
      if (this.#run === run) this.#run = undefined;
    };
    void exited.then(forget);
    return run;
  }

  #listen(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      const decoder = new StringDecoder();
      let rest = '';
      stream?.on('data', (chunk: Buffer) => {
        const lines = (rest + decoder.write(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#say(line);
      });
      stream?.on('end', () => {
        if (rest) this.#say(rest);
      });
    }
  }

  #say(line: string): void {
    this.#lines = [...this.#lines, line].slice(-linesKept);
    this.events.onLine?.(line);
  }

  /** Kills the process as the kernel does when memory runs out: no goodbye, and what it started stays. */
  async kill(): Promise<void> {
    const run = this.#run;
    if (!run) return;
    run.expected = true;
    run.child.kill('SIGKILL');
    await run.exited;
  }

  /**
   * Asks the process to end and waits for that.
   *
   * @returns what was wrong with its end; undefined: nothing
   */
  async stop(): Promise<string | undefined> {
    const run = this.#run;
    if (!run) return undefined;
    run.expected = true;
    const { pid } = run.child;
    run.child.kill('SIGTERM');
    const timer = setTimeout(() => run.child.kill('SIGKILL'), stopTimeoutMs);
    const how = await run.exited;
    clearTimeout(timer);
    const left = pid === undefined ? [] : await killSurvivors({ group: pid }, 500);
    if (left.length > 0)
      return `${this.name} left processes behind: ${left.map(({ command }) => command).join('; ')}`;
    return how === 'ended with exit code 0' ? undefined : `${this.name} ${how} when it was told to end`;
  }
}
