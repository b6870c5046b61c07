/** Shorter ones would riddle the log: a key `k` is no secret, and a letter of every other word. */
const shortestSecret = 6;

/**
 * What must not be readable in a run's log or in the journal: the job's token and the function's key. Held in memory
 * only, as the pipeline service masks what it knows to be secret in whatever a job prints.
 */
export class Secrets {
  readonly #byRun = new Map<string, Set<string>>();

  remember(runId: string, secret: string): void {
    if (secret.length < shortestSecret) return;
    let secrets = this.#byRun.get(runId);
    if (!secrets) this.#byRun.set(runId, (secrets = new Set()));
    const bytes = Buffer.from(secret);
    for (const form of [secret, bytes.toString('base64'), bytes.toString('base64url')]) secrets.add(form);
  }

  mask(runId: string, text: string): string {
    let masked = text;
    for (const secret of this.#byRun.get(runId) ?? []) masked = masked.replaceAll(secret, '***');
    return masked;
  }
}
