import { Argument, type Command, type Option } from 'commander';
import { addExamples } from './options.js';

const bin = 'azdo-batch-agents';

/**
 * `completion SHELL` prints what a shell needs, and that calls `complete` whenever somebody types Tab.
 *
 * @param createProgram makes another of the program: describing one for completion adds to it.
 */
export function addCompletion(program: Command, createProgram: (name: string) => Command): void {
  const command = program
    .command('completion')
    .description(`Prints what completes the words of ${bin} in a shell.`)
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh']));
  addExamples(
    command,
    [`source <($0 completion bash)`, `$0 completion zsh > "\${fpath[1]}/_${bin}"`],
    `Completion is for the program ${bin}, as \`npm link\` puts it on the PATH.`,
  );
  command.action(async (shell: string) => {
    const { script } = await import('@bomb.sh/tab');
    script(shell, bin, bin);
  });

  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const { default: tab } = await import('@bomb.sh/tab/commander');
      const described = createProgram(bin);
      for (const each of described.commands) offerEverywhere(described.options, each);
      tab(described, { completionCommandName: 'completion' }).parse(words);
    });
}

/** What every command takes can be typed after each of them. */
function offerEverywhere(options: readonly Option[], command: Command): void {
  for (const option of command.commands.length === 0 ? options : []) command.addOption(option);
  for (const each of command.commands) offerEverywhere(options, each);
}
