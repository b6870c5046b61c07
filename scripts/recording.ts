import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { capture } from './recording/capture.js';
import { framesOf } from './recording/frames.js';
import { toSvg } from './recording/svg.js';
import { root } from './root.js';

/** `npm run recording`: a film of a command for the documents, as an SVG that moves by itself. */
interface Options {
  readonly out: string;
  readonly columns: number;
  readonly rows: number;
  readonly seconds: number;
  readonly limit: number;
  readonly title?: string;
}

const between =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    return value;
  };

const program = new Command('npm run recording --')
  .description('Runs a command in a terminal (tmux) and writes what it showed as an SVG that moves.')
  .argument('[command...]', 'what to run', ['npm', 'run', 'demo'])
  .option('--out <file>', 'where it goes', '.github/images/demo.svg')
  .option('--columns <n>', 'width of the terminal', between(20, 200), 140)
  .option('--rows <n>', 'height of the terminal', between(5, 60), 36)
  .option(
    '--seconds <n>',
    'length of the film: waits are cut short, and all else follows',
    between(3, 60),
    20,
  )
  .option('--limit <seconds>', 'stop the command after so long', between(1, 600), 120)
  .option('--title <text>', 'what stands above it (default: the command)')
  .parse();
const options = program.opts<Options>();
const command = program.args.length > 0 ? program.args.join(' ') : 'npm run demo';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

/** How long the end can be read before the film begins anew. */
const lastMs = 4_000;

try {
  const { columns, rows } = options;
  const take = { command, columns, rows, limitMs: options.limit * 1_000, cwd: root };
  const { captures, exitCode } = await capture({ ...take, signal: interrupted.signal });
  if (exitCode !== undefined && exitCode !== 0) {
    throw new Error(`The command ended with ${exitCode}:\n${captures.at(-1)?.lines.join('\n') ?? ''}`);
  }
  const frames = framesOf(captures, {
    rows,
    totalMs: options.seconds * 1_000,
    lastMs: Math.min(lastMs, options.seconds * 500),
  });
  const svg = toSvg({ frames, columns, rows, title: options.title ?? command });
  const file = resolve(root, options.out);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, svg);
  console.log(`${options.out}: ${frames.length} frames, ${Math.ceil(Buffer.byteLength(svg) / 1_024)} KiB.`);
} catch (error) {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  const reason = error instanceof Error ? error.message : String(error);
  console.error(isMissing ? 'tmux was not found: install it, it is the terminal here.' : reason);
  process.exitCode = 1;
}
