import { execa } from 'execa';
import pc from 'picocolors';
import { root } from '../root.js';

/** How long it may take after it has said something. */
export interface Patience {
  readonly after: RegExp;
  readonly ms: number;
}

/** A program that failed, which has said why itself. */
export class Failed extends Error {
  constructor(
    command: string,
    exitCode: number | undefined,
    readonly said: string,
  ) {
    super(`${command} ended with exit code ${exitCode ?? 'unknown'}: see above.`);
  }
}

/** One of Azure's command lines. */
export class Tool {
  constructor(
    readonly name: 'az' | 'azd',
    private readonly signal: AbortSignal,
  ) {}

  /** What it answers; undefined: it failed. It says nothing to whoever looks on. */
  async ask(...args: readonly string[]): Promise<string | undefined> {
    const { failed, stdout } = await this.#quietly(args);
    return failed ? undefined : stdout;
  }

  /**
   * Whether what it is asked to show is there.
   *
   * @throws when it failed for another reason than that it is not: not to know is not to know that there is none
   */
  async finds(...args: readonly string[]): Promise<boolean> {
    const { failed, stderr } = await this.#quietly(args);
    if (!failed) return true;
    if (/not ?found/i.test(stderr)) return false;
    throw new Error(
      `${shown(this.name, args)} failed, so nobody knows whether it is there:\n${stderr.trim()}`,
    );
  }

  async #quietly(
    args: readonly string[],
  ): Promise<{ readonly failed: boolean; readonly stdout: string; readonly stderr: string }> {
    const ran = await execa(this.name, args, {
      cwd: root,
      reject: false,
      stdin: 'ignore',
      cancelSignal: this.signal,
    });
    this.signal.throwIfAborted();
    // A program that is not there has said nothing.
    return { failed: ran.failed, stdout: ran.stdout ?? '', stderr: ran.stderr ?? '' };
  }

  /**
   * Runs it before the eyes of whoever looks on.
   *
   * @returns whether it ended by itself
   * @throws Failed
   */
  async run(args: readonly string[], patience?: Patience): Promise<boolean> {
    console.error(pc.dim(`$ ${shown(this.name, args)}`));
    const enough = new AbortController();
    const running = execa(this.name, args, {
      cwd: root,
      reject: false,
      // It may ask for what it misses, if there is somebody to ask.
      stdin: 'inherit',
      stdout: 'inherit',
      stderr: ['inherit', 'pipe'],
      cancelSignal: AbortSignal.any([this.signal, enough.signal]),
      forceKillAfterDelay: 10_000,
    });
    let said = '';
    let timer: NodeJS.Timeout | undefined;
    running.stderr.on('data', data => {
      said += String(data);
      if (patience?.after.test(said)) timer ??= setTimeout(() => enough.abort(), patience.ms);
    });
    const { failed, exitCode } = await running;
    clearTimeout(timer);
    this.signal.throwIfAborted();
    if (enough.signal.aborted) return false;
    if (failed) throw new Failed(`${this.name} ${args.slice(0, 3).join(' ')}`, exitCode, said);
    return true;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.ask('version')) !== undefined;
  }

  async isSignedIn(): Promise<boolean> {
    const args = this.name === 'az' ? ['account', 'show'] : ['auth', 'login', '--check-status'];
    return (await this.ask(...args)) !== undefined;
  }
}

/** As it would be typed. */
export const shown = (name: string, args: readonly string[]): string =>
  [name, ...args]
    .map(arg => (/^[\w@%+=:,./\\-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
