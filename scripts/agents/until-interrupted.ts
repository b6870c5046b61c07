import { exitCodes } from './command-error.js';

/**
 * Follows something until it is over; a Ctrl-C ends it as people expect: at once, without a word, the terminal as it was.
 *
 * @param close gives the terminal back; called once, however it ends.
 */
export async function followUntilInterrupted<T>(close: () => void, follow: () => Promise<T>): Promise<T> {
  const interrupt = (): void => {
    close();
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', interrupt);
  try {
    return await follow();
  } finally {
    process.off('SIGINT', interrupt);
    close();
  }
}
