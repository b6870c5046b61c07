import type { Command } from 'commander';
import { CommandError, Refused } from '../command-error.js';
import { programName } from '../options.js';

/** Says where ids are to be had. */
export const withAdvice =
  (command: Command) =>
  (error: unknown): never => {
    if (!(error instanceof Refused) || error.code !== 'RequestNotFound') throw error;
    throw new CommandError(
      error.exitCode,
      `${error.message} See which there are with \`${programName(command)} list\`.`,
    );
  };
