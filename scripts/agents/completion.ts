import { Argument, type Command, type Option } from 'commander';
import { addExamples } from './options.js';
import { print } from './output.js';

const bin = 'azdo-batch-agents';

/**
 * The words are found by the program itself, so that they are never out of date. Nothing that was typed is evaluated,
 * and nothing but the shell itself is needed.
 */
const scripts: Readonly<Record<string, string>> = {
  bash: `_azdo_batch_agents() {
  local word rest
  COMPREPLY=()
  if [[ \${COMP_WORDS[COMP_CWORD-1]} == --data ]]; then
    compopt -o dirnames
    return
  fi
  while IFS=$'\\t' read -r word rest; do
    if [[ -n $word && $word != :* ]]; then COMPREPLY+=("$word"); fi
  done < <(${bin} complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _azdo_batch_agents ${bin}`,
  zsh: `#compdef ${bin}
_azdo_batch_agents() {
  local line word
  local -a found
  if [[ \${words[CURRENT-1]} == --data ]]; then
    _files -/
    return
  fi
  for line in \${(f)"$(${bin} complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
    if [[ $line == :* ]]; then continue; fi
    word=\${line%%$'\\t'*}
    found+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -t words ${bin} found
}
if [[ \${funcstack[1]} == _azdo_batch_agents ]]; then
  _azdo_batch_agents "$@"
else
  compdef _azdo_batch_agents ${bin}
fi`,
};

/** `completion SHELL` prints what a shell needs; that calls `complete` whenever somebody types Tab. */
export function addCompletion(program: Command): void {
  const command = program
    .command('completion')
    .description(`Prints what completes the words of ${bin} in a shell.`)
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)));
  addExamples(
    command,
    [`source <(${bin} completion bash)`, `${bin} completion zsh > "\${fpath[1]}/_${bin}"`],
    `Completion is for the program ${bin}, as \`npm link\` puts it on the PATH.`,
  );
  command.action((shell: string) => print(scripts[shell] ?? ''));
}

/** The command with which the library that finds the words would print scripts of its own. */
const itsOwn = 'completion-of-the-library';

/** @param describe makes another of the program: the library adds to what it is given. */
export function addComplete(program: Command, describe: () => Command): void {
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const { default: tab } = await import('@bomb.sh/tab/commander');
      const described = describe();
      for (const each of described.commands) offerEverywhere(described.options, each);
      const known = tab(described, { completionCommandName: itsOwn });
      known.commands.delete(itsOwn);
      known.parse(words);
    });
}

/** What every command takes can be typed after each of them. */
function offerEverywhere(options: readonly Option[], command: Command): void {
  for (const option of command.commands.length === 0 ? options : []) command.addOption(option);
  for (const each of command.commands) offerEverywhere(options, each);
}
