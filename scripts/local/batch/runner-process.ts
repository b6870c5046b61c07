import { isAgentCommand, prepareAgent } from './agent-image.js';
import { splitCommandLine } from './command-line.js';
import { commandFor, type ImageCommands } from './images.js';
import type { Runner } from './runner.js';
import { failure } from './task-outcome.js';

/** Runs a container task as the local command that stands for its image, and any other task as it is. */
export const processRunner = (images: ImageCommands): Runner => ({
  kind: 'process',
  prepare: async ({ spec, env, workDir, runDir, runId }) => {
    const words = splitCommandLine(spec.commandLine);
    if (!spec.containerSettings) return { argv: words, env, cwd: workDir };
    const { imageName } = spec.containerSettings;
    const command = commandFor(images, imageName);
    if (!command) {
      return failure(
        'ContainerInvalidImage',
        `No local command stands for the image ${imageName}. Add it to the images file of the local Batch.`,
      );
    }
    const image = isAgentCommand(command) ? prepareAgent(command, env, runDir) : { command, env };
    // As with an ENTRYPOINT: the task's command line is what it gets as arguments.
    return {
      argv: [...image.command, ...words],
      env: image.env,
      cwd: workDir,
      container: `process-${runId}`,
    };
  },
  endContainer: async () => undefined,
  explainExit: () => undefined,
});
