import { isAgentCommand } from './agent-image.js';
import { commandFor, type ImageCommands } from './images.js';
import { type Program, type Runner } from './runner.js';

/**
 * Runs the agents' tasks inside this process, and any other as `fallback` does it: a thousand agents, of which each
 * would else be two Node.js processes.
 *
 * @param agent what the agent's own process would run
 */
export const inlineRunner = (images: ImageCommands, agent: Program, fallback: Runner): Runner => ({
  kind: 'inline',
  prepare: async request => {
    const { spec, env, workDir, runId } = request;
    const command = spec.containerSettings && commandFor(images, spec.containerSettings.imageName);
    if (!command || !isAgentCommand(command)) return fallback.prepare(request);
    return { program: agent, env, cwd: workDir, container: `inline-${runId}` };
  },
  endContainer: async (name, graceMs) => fallback.endContainer(name, graceMs),
  explainExit: (exitCode, inContainer) => fallback.explainExit(exitCode, inContainer),
});
