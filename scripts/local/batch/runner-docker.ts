import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { splitCommandLine } from './command-line.js';
import type { FailureInfo } from './records.js';
import type { Launch, Runner, RunRequest } from './runner.js';
import { failure } from './task-outcome.js';

/** What the docker command itself needs of our environment; the task gets none of it. */
const clientNames = /^(PATH|HOME|USERPROFILE|SystemRoot|XDG_RUNTIME_DIR|DOCKER_.*)$/i;

export interface DockerRun extends Launch {
  /** Lines for a file of mode 0600, for the few variables that would change the docker command itself. */
  readonly envFile: string;
}

/**
 * The `docker run` of a task. Values of the environment never stand on the command line, where every user of the
 * machine could read them: docker takes them by name from its own environment.
 */
export function dockerRun(
  { spec, env, taskDir, workDir, runDir, runId }: RunRequest,
  clientEnv: Readonly<Record<string, string>>,
): DockerRun {
  const settings = spec.containerSettings;
  const options = splitCommandLine(settings?.containerRunOptions ?? '');
  const byName = Object.entries(env).filter(([name]) => !clientNames.test(name));
  // PATH and HOME are the image's own unless the task sets them; ours mean nothing in there.
  const reserved = Object.entries(env).filter(([name]) => clientNames.test(name) && isAskedFor(spec, name));
  const container = `batch-${runId}`;
  const hasNetwork = options.some(option => /^--net(work)?(=|$)/.test(option));
  return {
    argv: [
      'docker',
      'run',
      '--rm',
      '--name',
      container,
      // The other parts of the stack listen on the loopback address of this machine.
      ...(hasNetwork ? [] : ['--network', 'host']),
      '--volume',
      `${taskDir}:${taskDir}`,
      ...(settings?.workingDirectory === 'containerImageDefault' ? [] : ['--workdir', workDir]),
      ...byName.flatMap(([name]) => ['--env', name]),
      ...(reserved.length > 0 ? ['--env-file', join(runDir, 'env')] : []),
      ...options,
      settings?.imageName ?? '',
      ...splitCommandLine(spec.commandLine),
    ],
    env: { ...clientEnv, ...Object.fromEntries(byName) },
    cwd: workDir,
    container,
    envFile: reserved.map(([name, value]) => `${name}=${value}\n`).join(''),
  };
}

const isAskedFor = (spec: RunRequest['spec'], name: string): boolean =>
  spec.environmentSettings?.some(setting => setting.name === name) ?? false;

/** Whether a Docker engine, not only its command, answers within two seconds. */
export async function dockerAnswers(): Promise<boolean> {
  const { code } = await docker(['version', '--format', '{{.Server.Version}}'], { timeoutMs: 2_000 });
  return code === 0;
}

/** Runs container tasks as containers; a task without an image runs as `fallback` does it. */
export const dockerRunner = (fallback: Runner): Runner => ({
  kind: 'docker',
  prepare: async request => {
    const { containerSettings } = request.spec;
    if (!containerSettings) return fallback.prepare(request);
    const problem = await provideImage(request);
    if (problem) return problem;
    const run = dockerRun(request, clientEnvironment());
    if (run.envFile !== '') await writeFile(join(request.runDir, 'env'), run.envFile, { mode: 0o600 });
    return run;
  },
  endContainer: async (name, graceMs) => {
    await docker(['stop', '--time', String(Math.ceil(graceMs / 1_000)), name], {
      timeoutMs: graceMs + 10_000,
    });
    // A container that was being made while it was stopped would live on.
    await docker(['rm', '--force', name], { timeoutMs: 10_000 });
  },
  explainExit: (exitCode, inContainer) =>
    inContainer && exitCode === 125
      ? failure('ContainerInvalidSettings', 'docker run could not make the container; stderr.txt says why.')
      : undefined,
});

async function provideImage({ spec, runDir, signal }: RunRequest): Promise<FailureInfo | undefined> {
  const settings = spec.containerSettings;
  if (!settings) return undefined;
  const { imageName, registry } = settings;
  if ((await docker(['image', 'inspect', imageName], { timeoutMs: 10_000, signal })).code === 0)
    return undefined;
  const config: string[] = [];
  if (registry?.username !== undefined && registry.password !== undefined) {
    // A configuration of its own: the login must not outlive the task.
    const folder = join(runDir, 'docker');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    config.push('--config', folder);
    const login = await docker(
      [
        ...config,
        'login',
        '--username',
        registry.username,
        '--password-stdin',
        registry.registryServer ?? '',
      ],
      { timeoutMs: 60_000, stdin: registry.password, signal },
    );
    if (login.code !== 0) return failure('ContainerInvalidRegistry', login.stderr);
  }
  const pull = await docker([...config, 'pull', imageName], { timeoutMs: 30 * 60_000, signal });
  if (pull.code === 0) return undefined;
  const isRegistry = /no such host|connection refused|unauthorized|authentication required|timeout/i.test(
    pull.stderr,
  );
  return failure(isRegistry ? 'ContainerInvalidRegistry' : 'ContainerInvalidImage', pull.stderr);
}

const clientEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      clientNames.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );

interface DockerAnswer {
  readonly code: number;
  /** The end of what it said, for a failure's details. */
  readonly stderr: string;
}

function docker(
  args: string[],
  options: { timeoutMs: number; stdin?: string; signal?: AbortSignal },
): Promise<DockerAnswer> {
  return new Promise(resolve => {
    const child = execFile(
      'docker',
      args,
      {
        timeout: options.timeoutMs,
        env: clientEnvironment(),
        windowsHide: true,
        ...(options.signal && { signal: options.signal }),
      },
      (error, _stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, stderr: stderr.trim().slice(-1_000) });
      },
    );
    if (options.stdin !== undefined) child.stdin?.end(options.stdin);
  });
}
