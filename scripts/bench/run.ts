import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure, Measured, Scale } from './figure.js';
import { describeMachine, type Machine } from './machine.js';
import type { FigureResult, Results } from './report/results.js';

export interface RunOptions {
  readonly figures: readonly Figure[];
  readonly scale: Scale;
  readonly say: (line: string) => void;
  /** Stops everything; what has been measured until then is lost. */
  readonly signal: AbortSignal;
  /** When to give up, in milliseconds from now; what has been measured until then is kept. */
  readonly limitMs: number;
  /** Hears, before anything is measured, on what it will be. */
  readonly onMachine?: (machine: Machine) => void;
}

/** A figure that was told to stop ends what it had started; one that can't must not keep the others' results. */
const graceMs = 20_000;

/**
 * Measures one figure after the other. One that fails is named in the results and takes no other with it, but for those
 * that reckon with it.
 *
 * @throws the reason of the signal
 */
export async function runFigures(options: RunOptions): Promise<Results> {
  const { figures, scale, say, signal, limitMs } = options;
  const started = new Date();
  const machine = describeMachine();
  options.onMachine?.(machine);
  const minutes = Math.round(limitMs / 6_000) / 10;
  const timeUp = new AbortController();
  const timer = setTimeout(() => {
    timeUp.abort(new Error(`The bench was to end within ${minutes} min, and the time was up.`));
  }, limitMs);
  const stopped = AbortSignal.any([signal, timeUp.signal]);
  const results: FigureResult[] = [];
  const failures: { figure: string; message: string }[] = [];
  const earlier = new Map<string, Measured>();
  const folder = await mkdtemp(join(tmpdir(), 'azdo-batch-agents-bench-'));
  try {
    for (const figure of figures) {
      signal.throwIfAborted();
      const began = performance.now();
      say(`${figure.name}: beginning`);
      try {
        const measured = await measureOne(figure);
        earlier.set(figure.name, measured);
        const tookSeconds = Math.round((performance.now() - began) / 100) / 10;
        results.push({ name: figure.name, tookSeconds, ...measured });
        say(`${figure.name}: done in ${tookSeconds} s`);
      } catch (error) {
        signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        failures.push({ figure: figure.name, message });
        say(`${figure.name}: could not be measured: ${message}`);
      }
    }
  } finally {
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  return {
    version: 1,
    startedAt: started.toISOString(),
    tookSeconds: Math.round((Date.now() - started.getTime()) / 1_000),
    scale: scale.name,
    machine,
    figures: results,
    failures,
  };

  async function measureOne(figure: Figure): Promise<Measured> {
    const missing = (figure.needs ?? []).filter(name => !earlier.has(name));
    if (missing.length > 0) throw new Error(`It reckons with ${missing.join(', ')}, which is not there.`);
    stopped.throwIfAborted();
    const ours = join(folder, figure.name);
    await mkdir(ours);
    const measuring = figure.measure({
      scale,
      signal: stopped,
      earlier,
      folder: name => join(ours, name),
      say: line => say(`${figure.name}: ${line}`),
    });
    try {
      return await Promise.race([measuring, whenStopped(stopped)]);
    } catch (error) {
      // Its parts must be gone before the next figure is measured beside them.
      const ended = measuring.then(
        () => true,
        () => true,
      );
      const gone = await Promise.race([ended, sleep(graceMs, false, { ref: false })]);
      if (!gone) say(`${figure.name}: did not end within ${graceMs / 1_000} s`);
      throw stopped.aborted ? stopped.reason : error;
    } finally {
      // All of it goes in the end; what can't be removed now must not hide why it was given up.
      await rm(ours, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

const whenStopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const stop = (): void => {
      const reason: unknown = signal.reason;
      reject(reason instanceof Error ? reason : new Error('Stopped.'));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

/** Those that are named, with those that they reckon with, in the order of the list. */
export function chooseFigures(all: readonly Figure[], names: readonly string[]): readonly Figure[] {
  const wanted = new Set<string>();
  const add = (name: string): void => {
    const figure = all.find(one => one.name === name);
    if (!figure)
      throw new Error(`There is no figure ${name}; there are: ${all.map(one => one.name).join(', ')}.`);
    wanted.add(name);
    for (const needed of figure.needs ?? []) if (!wanted.has(needed)) add(needed);
  };
  for (const name of names) add(name);
  return all.filter(({ name }) => wanted.has(name));
}
