import { homeCommand } from './home-commands.js';
import { processSurroundings } from './process-surroundings.js';
import { runProgram } from './program.js';

/**
 * The local agent as a process: with arguments, the pieces of the real one, as `config.sh` and `run.sh` of its folder
 * start them (`FOLDER config|run …`); without, all in one.
 */
const [home, ...args] = process.argv.slice(2);
const surroundings = processSurroundings();
process.exitCode = await (home === undefined
  ? runProgram(surroundings)
  : homeCommand(home, args, surroundings));
