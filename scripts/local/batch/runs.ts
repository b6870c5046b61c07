import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { InlineRun } from './inline-run.js';
import { endTree, identify, isAlive, killOrphans, signal as sendSignal } from './processes.js';
import type { FailureInfo, RunIntent, RunRecord } from './records.js';
import { readOutcome, readStarted, type Started } from './run-files.js';
import type { InlineLaunch, Launch, Runner, RunRequest } from './runner.js';
import type { Store } from './store.js';
import type { StartFailure } from './task-faults.js';
import { failure, type RunOutcome } from './task-outcome.js';
import type { WrapperOrder } from './task-wrapper.js';

const wrapperFile = fileURLToPath(new URL('task-wrapper.js', import.meta.url));
const adoptedPollMs = 100;
/** A wrapper that has nothing left to watch writes one file and ends. */
const wrapperEndMs = 3_000;

export interface RunEvents {
  started(run: RunRecord, at: string): void;
  /** Called once a run's processes are gone, never before: the task's record takes its new state. */
  ended(run: RunRecord, outcome: RunOutcome): void;
  /** Called when the run is forgotten, so that what waited for its end can go on. */
  forgotten(run: RunRecord): void;
}

interface LiveRun {
  readonly ended: Promise<void>;
  readonly resolve: () => void;
  readonly abort: AbortController;
  killing?: Promise<void>;
  /** Set while it runs inside this process. */
  inline?: InlineRun;
}

/** The runs of tasks: starts them, finds them again after a restart, ends them and tells how they ended. */
export class Runs {
  #live = new Map<string, LiveRun>();

  constructor(
    readonly store: Store,
    readonly runner: Runner,
    readonly dataDir: string,
    readonly killGraceMs: number,
    readonly events: RunEvents,
  ) {}

  runDir(id: string): string {
    return join(this.dataDir, 'runs', id);
  }

  of(jobKey: string): RunRecord[] {
    return [...this.store.runs.values()].filter(run => run.jobKey === jobKey);
  }

  /** Starts a run that is already recorded; what goes wrong is the run's outcome. */
  start(
    run: RunRecord,
    request: Omit<RunRequest, 'runId' | 'runDir' | 'taskDir' | 'signal'>,
    startFailure?: StartFailure,
  ): void {
    const { signal: aborted } = this.#enter(run.id).abort;
    const full: RunRequest = {
      ...request,
      runId: run.id,
      taskDir: run.taskDir,
      runDir: this.runDir(run.id),
      signal: aborted,
    };
    this.#launch(run, full, startFailure).catch((error: unknown) => {
      const told = failure('CommandLaunchFailed', error instanceof Error ? error.message : String(error));
      void this.#finish(run.id, { kind: 'notStarted', failure: told, at: new Date().toISOString() });
    });
  }

  /** Kills a run's processes, as happens when memory runs out; its outcome is what they leave. */
  async kill(id: string): Promise<void> {
    this.#live.get(id)?.inline?.kill();
    const started = readStarted(this.runDir(id));
    if (started) await this.#endProcesses(id, started, 0);
  }

  /** Takes up a run that an earlier server left, whatever has become of it. */
  adopt(run: RunRecord): void {
    this.#enter(run.id);
    const { wrapper } = run;
    if (!wrapper) {
      // The server was killed before the wrapper got its order, so nothing ran; or it ran inside the server.
      setImmediate(() => void this.#finish(run.id, { kind: 'gone' }));
      return;
    }
    const started = readStarted(this.runDir(run.id));
    if (started) this.events.started(run, started.at);
    const poll = setInterval(() => {
      if (isAlive(wrapper)) return;
      clearInterval(poll);
      void this.#ended(run.id);
    }, adoptedPollMs);
    if (run.intent) void this.end(run.id, run.intent);
  }

  /** Ends a run; the promise is fulfilled when `ended` has been told. A stronger reason replaces a weaker one. */
  end(id: string, intent: RunIntent, graceMs = this.killGraceMs): Promise<void> {
    const run = this.store.runs.get(id);
    const live = this.#live.get(id);
    if (!run || !live) return Promise.resolve();
    if (run.intent === undefined || strength[intent] > strength[run.intent]) {
      this.store.saveRun({ ...run, intent });
    }
    live.abort.abort();
    live.killing ??= this.#kill(id, graceMs).catch((error: unknown) => {
      console.error(`Task run ${id} could not be ended: ${String(error)}`);
    });
    return live.ended;
  }

  #enter(id: string): LiveRun {
    let resolve = (): void => undefined;
    const ended = new Promise<void>(fulfil => {
      resolve = fulfil;
    });
    const live = { ended, resolve, abort: new AbortController() };
    this.#live.set(id, live);
    return live;
  }

  async #launch(run: RunRecord, request: RunRequest, startFailure?: StartFailure): Promise<void> {
    // At once, not in turns with others: the task may be deleted, and added again, from here on.
    rmSync(run.taskDir, { recursive: true, force: true });
    for (const folder of [request.workDir, request.runDir])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    const prepared = startFailure
      ? await failToStart(startFailure, request)
      : await this.runner.prepare(request);
    const current = this.store.runs.get(run.id);
    if (!current || current.intent) {
      // Ended while its image was being fetched.
      await this.#finish(run.id, { kind: 'gone' });
      return;
    }
    if (isFailure(prepared)) {
      await this.#finish(run.id, { kind: 'notStarted', failure: prepared, at: new Date().toISOString() });
      return;
    }
    if ('program' in prepared) await this.#runInline(current, prepared);
    else this.#spawn(current, request, prepared);
  }

  async #runInline(run: RunRecord, launch: InlineLaunch): Promise<void> {
    const live = this.#live.get(run.id);
    if (!live) return;
    const recorded = this.store.saveRun({
      ...run,
      ...(launch.container !== undefined && { container: launch.container }),
    });
    live.inline = new InlineRun(launch, () => this.store.runs.get(run.id)?.taskDir ?? run.taskDir);
    this.events.started(recorded, new Date().toISOString());
    await this.#finish(run.id, await live.inline.outcome);
  }

  #spawn(run: RunRecord, { runDir }: RunRequest, launch: Launch): void {
    const stdout = openSync(join(run.taskDir, 'stdout.txt'), 'w', 0o600);
    const stderr = openSync(join(run.taskDir, 'stderr.txt'), 'w', 0o600);
    const wrapper = spawn(process.execPath, [wrapperFile], {
      cwd: runDir,
      detached: true,
      env: process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] ?? '' } : {},
      stdio: ['ignore', stdout, stderr, 'ipc'],
      windowsHide: true,
    });
    closeSync(stdout);
    closeSync(stderr);
    if (wrapper.pid === undefined) {
      wrapper.once('error', error => {
        const told = failure('CommandLaunchFailed', error.message);
        void this.#finish(run.id, { kind: 'notStarted', failure: told, at: new Date().toISOString() });
      });
      return;
    }
    // Recorded before the order is given: whatever runs can be found again.
    this.store.saveRun({
      ...run,
      wrapper: identify(wrapper.pid),
      ...(launch.container !== undefined && { container: launch.container }),
    });
    this.#watch(run.id, wrapper);
    const order: WrapperOrder = { runDir, argv: launch.argv, env: launch.env, cwd: launch.cwd };
    wrapper.send(order, () => undefined);
  }

  #watch(id: string, wrapper: ChildProcess): void {
    wrapper.once('message', () => {
      const run = this.store.runs.get(id);
      if (run) this.events.started(run, readStarted(this.runDir(id))?.at ?? new Date().toISOString());
    });
    // A wrapper that dies between spawn and order is told by its exit.
    wrapper.on('error', () => undefined);
    wrapper.once('exit', () => void this.#ended(id));
  }

  async #kill(id: string, graceMs: number): Promise<void> {
    await this.#live.get(id)?.inline?.end(graceMs);
    const wrapper = this.store.runs.get(id)?.wrapper;
    // Still being prepared: `#launch` looks at the intent before it starts anything.
    if (!wrapper) return;
    let started = readStarted(this.runDir(id));
    while (!started && isAlive(wrapper)) {
      await sleep(20);
      started = readStarted(this.runDir(id));
    }
    await this.#endProcesses(id, started, graceMs);
    const deadline = Date.now() + wrapperEndMs;
    while (isAlive(wrapper) && Date.now() < deadline) await sleep(20);
    if (isAlive(wrapper)) sendSignal(wrapper.pid, 'SIGKILL');
  }

  async #endProcesses(id: string, started: Started | undefined, graceMs: number): Promise<void> {
    const container = this.store.runs.get(id)?.container;
    await Promise.all([
      started && endTree(started, graceMs),
      container !== undefined && this.runner.endContainer(container, graceMs),
    ]);
  }

  async #ended(id: string): Promise<void> {
    const runDir = this.runDir(id);
    const outcome = readOutcome(runDir);
    const started = readStarted(runDir);
    if (outcome.kind === 'gone') {
      await this.#endProcesses(id, started, 0);
      killOrphans(runDir);
    }
    const run = this.store.runs.get(id);
    // A short task may have ended before its start was told.
    if (run && started) this.events.started(run, started.at);
    if (outcome.kind !== 'exit') return this.#finish(id, outcome);
    const explained = this.runner.explainExit(outcome.exitCode, run?.container !== undefined);
    await this.#finish(id, explained ? { ...outcome, failure: explained } : outcome);
  }

  async #finish(id: string, outcome: RunOutcome): Promise<void> {
    const live = this.#live.get(id);
    const run = this.store.runs.get(id);
    if (!live || !run) return;
    this.#live.delete(id);
    // In this order: a kill in between may leave a run without a task, never a task that would run twice.
    this.events.ended(run, outcome);
    this.store.removeRun(id);
    this.events.forgotten(run);
    await rm(this.runDir(id), { recursive: true, force: true }).catch(() => undefined);
    live.resolve();
  }
}

const strength: Readonly<Record<RunIntent, number>> = {
  timeout: 0,
  lost: 1,
  requeue: 2,
  terminate: 3,
  delete: 4,
};

/** @returns at once when the run is ended meanwhile. */
async function failToStart(
  { code, afterMs }: StartFailure,
  { spec, signal }: RunRequest,
): Promise<FailureInfo> {
  await sleep(afterMs, undefined, { signal }).catch(() => undefined);
  return failure(
    code,
    `${spec.containerSettings?.imageName ?? spec.commandLine}: told to fail by a task fault.`,
  );
}

const isFailure = (prepared: Launch | InlineLaunch | FailureInfo): prepared is FailureInfo =>
  'code' in prepared;
