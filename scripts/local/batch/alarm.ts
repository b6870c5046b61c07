/** Longer timers than Node.js allows (24.8 days) fire at once; these are set anew instead. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls back once `Date.now()` has reached `at`; returns how to take it back. Does not keep the process alive. */
export function alarm(at: number, ring: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = at - Date.now();
    timer = setTimeout(
      () => (left > longestTimerMs ? arm() : ring()),
      Math.max(0, Math.min(left, longestTimerMs)),
    );
    timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}
