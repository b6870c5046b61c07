import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { killSurvivors } from '../processes.js';
import { parseEvents } from './events.js';
import { judge, type ProcessEnd, type Verdict } from './judge.js';
import { eventsTo } from './record.js';

export interface TestFile {
  /** How the file is called towards people. */
  readonly name: string;
  /** What Node.js runs. */
  readonly path: string;
}

export interface FileResult extends Verdict {
  readonly file: TestFile;
  readonly durationMs: number;
  /** What the process printed, stdout and stderr together. */
  readonly output: string;
}

export interface RunOptions {
  /** Files at the same moment. */
  readonly jobs: number;
  /** For a whole file, in milliseconds. */
  readonly timeLimitMs: number;
  readonly allowOnly?: boolean;
  readonly onResult?: (result: FileResult) => void;
  /** Ends the run: the processes are killed, and the files that did not run fail. */
  readonly signal?: AbortSignal;
}

/** How long the children of a test file may take to end after it. */
const survivorGraceMs = 2_000;

/** Runs each file in a process, process group and temporary folder of its own. */
export async function runTests(files: readonly TestFile[], options: RunOptions): Promise<FileResult[]> {
  const limit = pLimit(options.jobs);
  return Promise.all(
    files.map(file =>
      limit(async () => {
        const result = await runFile(file, options);
        options.onResult?.(result);
        return result;
      }),
    ),
  );
}

async function runFile(file: TestFile, options: RunOptions): Promise<FileResult> {
  const started = performance.now();
  const outside = await mkdtemp(join(tmpdir(), 'events-'));
  const folder = await mkdtemp(join(tmpdir(), 'uvu-'));
  const eventsFile = join(outside, 'events.jsonl');
  try {
    const { output, ...end } = await runProcess(file, folder, eventsTo(eventsFile), options);
    const leftovers = await readdir(folder);
    const events = parseEvents(await readFile(eventsFile, 'utf8').catch(() => ''));
    const verdict = judge(events, { ...end, leftovers }, options.allowOnly);
    return { ...verdict, file, output, durationMs: performance.now() - started };
  } finally {
    await Promise.all(
      [folder, outside].map(path => rm(path, { recursive: true, force: true, maxRetries: 3 })),
    );
  }
}

type RunEnd = Omit<ProcessEnd, 'leftovers'> & { readonly output: string };

async function runProcess(
  file: TestFile,
  folder: string,
  env: Record<string, string>,
  options: RunOptions,
): Promise<RunEnd> {
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', fileURLToPath(new URL('./run-file.js', import.meta.url)), file.path],
    {
      // Leader of a group: what it starts and forgets can be found, and killed with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A newer npm, run by a test, would keep its compiled code in the temporary folder.
      env: {
        ...process.env,
        NODE_DISABLE_COMPILE_CACHE: '1',
        TMPDIR: folder,
        TEMP: folder,
        TMP: folder,
        ...env,
      },
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));

  const { pid } = child;
  const kill = (): void => {
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended between the two.
    }
  };
  let overtimeMs: number | undefined;
  const timer = setTimeout(() => {
    overtimeMs = options.timeLimitMs;
    kill();
  }, options.timeLimitMs);
  options.signal?.addEventListener('abort', kill);
  if (options.signal?.aborted) kill();
  try {
    // Not 'close': the pipes stay open for as long as a survivor holds them.
    const { code, signal } = await new Promise<Pick<ProcessEnd, 'code' | 'signal'>>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
    });
    const graceMs = overtimeMs === undefined && !options.signal?.aborted ? survivorGraceMs : 0;
    const survivors = pid === undefined ? [] : await killSurvivors({ group: pid, folder }, graceMs);
    if (!child.stdout.readableEnded) await new Promise(resolve => child.stdout.once('close', resolve));
    if (!child.stderr.readableEnded) await new Promise(resolve => child.stderr.once('close', resolve));
    return {
      code,
      signal,
      ...(overtimeMs === undefined ? {} : { overtimeMs }),
      survivors: overtimeMs === undefined ? survivors.map(({ pid: id, command }) => `${id} ${command}`) : [],
      output: Buffer.concat(chunks).toString('utf8'),
    };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', kill);
  }
}
