/** How often each call was made, and by which User-Agent. */
export class CallCounts {
  #counts = new Map<string, Map<string, number>>();

  add(call: string, client: string): void {
    const byClient = this.#counts.get(call) ?? new Map<string, number>();
    this.#counts.set(call, byClient.set(client, (byClient.get(client) ?? 0) + 1));
  }

  reset(): void {
    this.#counts = new Map();
  }

  /** @param client text that the User-Agent must contain; empty: all. */
  by(client: string): Record<string, number> {
    const counted = [...this.#counts].map(([call, byClient]): [string, number] => [
      call,
      [...byClient].reduce((sum, [name, times]) => (name.includes(client) ? sum + times : sum), 0),
    ]);
    return Object.fromEntries(
      counted.filter(([, times]) => times > 0).toSorted(([one], [other]) => one.localeCompare(other)),
    );
  }
}
