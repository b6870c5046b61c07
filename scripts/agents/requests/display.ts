import type { ShownRequest } from '../client.js';

/** Shows a request as it goes on. */
export interface Display {
  /** Once at first, and whenever something may have changed. */
  show(request: ShownRequest): void;
  /** There is nothing more to wait for. */
  finish(): void;
  /** Leaves the terminal as it was found. */
  close(): void;
}

/** For what has nothing to do then. */
export const ignore = (): void => undefined;
