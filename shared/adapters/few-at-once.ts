export interface FewAtOnceOptions {
  readonly atOnce: number;
  /** What takes longer counts no more, in milliseconds: those behind it would wait for an answer that may never come. */
  readonly patienceMs: number;
}

/**
 * Begins work while little is on its way, and more when some is done: what comes meanwhile gathers.
 *
 * @param next begins the next piece and never rejects; undefined while there is none.
 * @returns has it begin what can be begun.
 */
export function fewAtOnce(
  { atOnce, patienceMs }: FewAtOnceOptions,
  next: () => Promise<void> | undefined,
): () => void {
  let onTheirWay = 0;

  function begin(): void {
    while (onTheirWay < atOnce) {
      const work = next();
      if (!work) return;
      onTheirWay += 1;
      let counts = true;
      const makeRoom = (): void => {
        if (!counts) return;
        counts = false;
        onTheirWay -= 1;
        begin();
      };
      const patience = setTimeout(makeRoom, patienceMs);
      void work.finally(() => {
        clearTimeout(patience);
        makeRoom();
      });
    }
  }

  return begin;
}
