import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Capture } from './frames.js';
import { selfContained, styledText } from './styled-text.js';

export interface Take {
  /** For a POSIX shell. */
  readonly command: string;
  readonly columns: number;
  readonly rows: number;
  /** Longest that it may take; then the film ends there. */
  readonly limitMs: number;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

const everyMs = 80;
/** More than any command that is worth a film prints. */
const keptLines = 5_000;
const settings = [
  ['history-limit', String(keptLines)],
  ['remain-on-exit', 'on'],
  ['remain-on-exit-format', ''],
  ['status', 'off'],
].flatMap(([name = '', value = '']) => ['set-option', '-g', name, value, ';']);

/**
 * Runs a command in a terminal and looks at it until it ends. tmux is the terminal: it knows what a cursor that goes up
 * and a line that is written over come to.
 *
 * @returns the captures, and the exit code; undefined if it was stopped at the limit.
 * @throws when tmux is not there.
 */
export async function capture(take: Take): Promise<{ captures: Capture[]; exitCode: number | undefined }> {
  const socket = `recording-${process.pid}`;
  const tmux = async (...args: string[]): Promise<string> => {
    const { stdout } = await execa('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      cwd: take.cwd,
      env: { ...terminalOnly(process.env), TMUX: '', LC_ALL: 'C.UTF-8' },
      extendEnv: false,
      cancelSignal: take.signal,
    });
    return stdout;
  };
  const quoted = take.command.replaceAll("'", String.raw`'\''`);
  const shown = `printf '%s\\n' '\u001b[1m$ ${quoted}\u001b[0m'; ${take.command}`;
  const captures: Capture[] = [];
  const begin = performance.now();
  try {
    await tmux(...settings, 'new-session', '-d', '-x', `${take.columns}`, '-y', `${take.rows}`, shown);
    for (;;) {
      const state = await tmux('display-message', '-p', '#{pane_dead} #{pane_dead_status}');
      const screen = await tmux('capture-pane', '-p', '-e', '-S', '-');
      captures.push({
        atMs: performance.now() - begin,
        lines: withoutBlankEnd(selfContained(screen.split('\n'))),
      });
      const [isDead, status] = state.trim().split(' ');
      if (isDead === '1') return { captures, exitCode: Number(status ?? 0) };
      if (performance.now() - begin > take.limitMs) return { captures, exitCode: undefined };
      await sleep(everyMs, undefined, { signal: take.signal });
    }
  } finally {
    await execa('tmux', ['-L', socket, 'kill-server'], { reject: false });
  }
}

function withoutBlankEnd(lines: readonly string[]): string[] {
  const end = lines.findLastIndex(line => styledText(line).length > 0);
  return lines.slice(0, end + 1);
}

/** npm's variables and those of a CI would make the command show itself otherwise than to a person. */
const terminalOnly = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(npm_|CI$|NO_COLOR$|FORCE_COLOR$|NODE_)/i.test(name)),
  );
