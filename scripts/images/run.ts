import { execa } from 'execa';
import type { Command, Engine } from './plan.js';
import { Refusal } from './refusal.js';

const installHints: Readonly<Record<string, string>> = {
  az: 'the Azure CLI: https://learn.microsoft.com/cli/azure/install-azure-cli',
  docker: 'a Docker engine, or use another --engine',
  podman: 'podman, or use another --engine',
  buildah: 'buildah, or use another --engine',
};

/** As a person would type it. */
export const shown = ({ program, args }: Command): string =>
  [program, ...args]
    .map(word => (/^[\w./:=@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');

/** Runs it before everyone's eyes. @returns its exit code. @throws {Refusal} where there is no such program. */
export async function runCommand(command: Command): Promise<number> {
  console.log(`$ ${shown(command)}`);
  const result = await execa(command.program, command.args, { stdio: 'inherit', reject: false });
  if (result.failed && result.code === 'ENOENT') {
    throw new Refusal(
      `There is no ${command.program} here. Install ${installHints[command.program] ?? command.program}.`,
    );
  }
  return result.exitCode ?? 1;
}

/** The first engine that is here. */
export async function findEngine(): Promise<Engine> {
  for (const engine of ['docker', 'podman', 'buildah'] as const) {
    const { failed } = await execa(engine, ['--version'], { reject: false });
    if (!failed) return engine;
  }
  throw new Refusal(
    'There is no docker, podman or buildah here. Install one, or build in a registry: --engine acr --push NAME.azurecr.io.',
  );
}

/** Windows images are built by an engine that runs Windows containers. */
export async function checkDockerSystem(os: 'linux' | 'windows'): Promise<void> {
  const { stdout, failed } = await execa('docker', ['info', '--format', '{{.OSType}}'], { reject: false });
  const system = stdout.trim();
  if (failed || system === '')
    throw new Refusal('The Docker engine does not answer: start it, or use another --engine.');
  if (system !== os) {
    throw new Refusal(
      `This Docker engine runs ${system} containers and can't build ${os} images: use --engine acr.`,
    );
  }
}
