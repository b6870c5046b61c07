type Value = string | number;

/** Rows by a value that some of them share: to look for these among all costs as much as there are rows. */
export class Grouping<Row> {
  readonly #groups = new Map<Value, Map<string, Row>>();

  constructor(readonly valueOf: (row: Row) => Value | undefined) {}

  of(value: Value): readonly Row[] {
    const group = this.#groups.get(value);
    return group ? [...group.values()] : [];
  }

  /** Tells of a row that came, changed or went. */
  change(key: string, before: Row | undefined, after: Row | undefined): void {
    const from = before === undefined ? undefined : this.valueOf(before);
    const to = after === undefined ? undefined : this.valueOf(after);
    if (from !== undefined && from !== to) {
      const group = this.#groups.get(from);
      group?.delete(key);
      if (group?.size === 0) this.#groups.delete(from);
    }
    if (to === undefined || after === undefined) return;
    let group = this.#groups.get(to);
    if (!group) this.#groups.set(to, (group = new Map<string, Row>()));
    group.set(key, after);
  }
}
