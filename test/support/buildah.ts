import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { killSurvivors } from '../../scripts/processes.js';
import { root } from '../../scripts/root.js';

/** A Debian to build on, made beforehand as it takes longer than a test may. */
const baseFile = join(root, 'dist', 'test-base.tar');

/** Why this machine can't build and run Linux images; undefined: it can. */
export function whyNoBuildah(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'Linux images are built and run by root on Linux only';
  try {
    execFileSync('buildah', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'there is no buildah: on Debian, apt-get install buildah mmdebstrap; then .ci/test-base';
  }
  return isFile(baseFile)
    ? undefined
    : 'there is no Debian to build on: .ci/test-base makes it within half a minute (root, mmdebstrap)';
}

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

export interface ContainerRun {
  readonly child: ChildProcess;
  /** Everything it printed, stdout and stderr. */
  output(): string;
  readonly exit: Promise<number | null>;
  /** Sends SIGTERM to the first process of the container, as whoever stops containers does; buildah would kill it. */
  stop(): void;
}

/** Images and containers in a folder of their own, without a daemon: the processes of a container are this machine's. */
export class Buildah {
  readonly #folders: readonly string[];
  readonly #env = { PATH: process.env['PATH'], STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot' };

  constructor(readonly folder: string) {
    this.#folders = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
  }

  /** @throws with all that it printed */
  async do(...args: readonly string[]): Promise<string> {
    const { all, stdout, exitCode } = await execa('buildah', [...this.#folders, ...args], {
      env: { ...this.#env, TMPDIR: this.folder },
      extendEnv: false,
      all: true,
      reject: false,
    });
    if (exitCode !== 0) throw new Error(`buildah ${args[0] ?? ''} failed:\n${all}`);
    return stdout.trim();
  }

  /** Makes the image `base` of the Debian that was made beforehand. */
  async importBase(): Promise<void> {
    const container = await this.do('from', 'scratch');
    await this.do('add', '--quiet', container, baseFile, '/');
    await this.do('commit', '--quiet', '--rm', container, 'base');
  }

  /**
   * Runs a command in a container, with this machine's Node.js in it.
   *
   * @param env of the command; it can be read by every user of this machine
   */
  run(container: string, command: readonly string[], env: Readonly<Record<string, string>>): ContainerRun {
    const marked = { ...env, TEST_CONTAINER: this.folder };
    const variables = Object.entries(marked).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const node = ['--volume', `${process.execPath}:/usr/local/bin/node:ro`];
    const args = [...this.#folders, 'run', ...node, ...variables, container, '--', ...command];
    const child = spawn('buildah', args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        output += text;
      });
    }
    return {
      child,
      output: () => output,
      exit: once(child, 'close').then(() => child.exitCode),
      stop: () => process.kill(firstProcess(child.pid, command[0] ?? ''), 'SIGTERM'),
    };
  }

  /** Removes all of it, after what a failed test has left running. */
  async remove(): Promise<void> {
    await killSurvivors({ group: -1, folder: this.folder }, 0);
    await this.do('rm', '--all');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The process that runs the command, a script, among the descendants of the one that started it. */
function firstProcess(ancestor: number | undefined, command: string): number {
  const processes = readdirSync('/proc').flatMap(name =>
    /^\d+$/.test(name) ? (inspect(Number(name)) ?? []) : [],
  );
  const generations = (pids: ReadonlySet<number | undefined>): number => {
    const children = processes.filter(({ parent }) => pids.has(parent));
    if (children.length === 0) throw new Error(`No process of ${ancestor ?? 'nothing'} runs ${command}.`);
    return (
      children.find(
        ({ args: [program = '', script] }) => script === command && !program.startsWith('buildah'),
      )?.pid ?? generations(new Set(children.map(({ pid }) => pid)))
    );
  };
  return generations(new Set([ancestor]));
}

function inspect(pid: number): { pid: number; parent: number; args: readonly string[] } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(parent), args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') };
  } catch {
    return undefined;
  }
}
