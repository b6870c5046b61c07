/**
 * Awaits a part of the app that is imported late. SDKs take longer to load than all the rest, and a new instance has
 * to say which functions it has before it gets its first call.
 *
 * Node.js remembers for good that a module could not be loaded, even if it only lacked a file handle for a moment.
 * So a process that can't load its own code ends, as it would have at its start: the host begins another one, and
 * whatever this one was doing is done again, as after any other death.
 */
export const loaded = async <T>(importing: Promise<T>): Promise<T> => {
  try {
    return await importing;
  } catch (error) {
    console.error('Ending, because a part of the app could not be loaded:', error);
    process.exit(1);
  }
};
