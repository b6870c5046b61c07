import type { Line } from './rows.js';
import type { Secrets } from './secrets.js';
import { now, type State } from './state.js';

/** Lines that are shown as they are written may begin with their own time; then that one counts. */
const leadingTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\s/;

/** The log of each run, as a person reads it: what the service says, live lines and task logs, in order of time. */
export class RunLog {
  readonly #state: State;
  readonly #secrets: Secrets;
  readonly #lines = new Map<string, Line[]>();

  constructor(state: State, secrets: Secrets) {
    this.#state = state;
    this.#secrets = secrets;
    for (const line of state.lines.all()) this.#of(line.runId).push(line);
  }

  add(runId: string, ...texts: readonly string[]): void {
    for (const text of texts.flatMap(each => each.split(/\r?\n/))) this.#append({ runId, at: now(), text });
  }

  /** What the service says of a job or task. */
  addTo(runId: string, recordId: string, ...texts: readonly string[]): void {
    for (const text of texts.flatMap(each => each.split(/\r?\n/))) {
      this.#append({ runId, at: now(), text, recordId });
    }
  }

  /** An issue, as its mark in the log of the run; not where its very sentence was read live. */
  addIssue(runId: string, recordId: string, type: string, message: string): void {
    if (!this.#isSaid(runId, recordId, message)) this.addTo(runId, recordId, `##[${type}]${message}`);
  }

  /**
   * Live lines of a record.
   *
   * @param startLine number of the first line, when the sender counts: a line that is here already is left out.
   */
  addFeed(runId: string, recordId: string, texts: readonly string[], startLine: number | undefined): void {
    let last = 0;
    for (const line of this.#of(runId)) if (line.recordId === recordId) last = line.number ?? last;
    for (const [index, text] of texts.entries()) {
      if (this.#isSaid(runId, recordId, `##[error]${text}`)) continue;
      const line = { runId, at: now(), text, recordId, live: true } as const;
      if (startLine === undefined) this.#append(line);
      else if (startLine + index > last) this.#append({ ...line, number: startLine + index });
    }
  }

  /**
   * A task's log, which the service shows in the place of what was read live. Here it comes below that, so only what is
   * new in it is shown: no line that was read live, and none that tells of an earlier time what was told live then.
   *
   * @param recordId of the task, where the log says so
   */
  addTaskLog(runId: string, recordId: string | undefined, content: string): void {
    const jobId = this.#jobOf(runId, recordId);
    const own = this.#of(runId).filter(
      line =>
        jobId === undefined || line.recordId === undefined || this.#jobOf(runId, line.recordId) === jobId,
    );
    const seen = new Set(own.map(line => line.text));
    const wasTold = own.some(line => line.live);
    for (const line of content.split(/\r?\n/)) {
      const [prefix = '', time] = leadingTime.exec(line) ?? [];
      const text = this.#secrets.mask(runId, line.slice(prefix.length));
      if (text === '' || seen.has(text) || seen.has(`##[error]${text}`) || (time && wasTold)) continue;
      this.#append({ runId, at: time ?? now(), text, ...(jobId !== undefined && { recordId: jobId }) });
    }
  }

  /** Each line with its time in front, and its job where there are more than the two that every request has. */
  of(runId: string): string[] {
    const jobs = new Map(this.#state.jobsOfRun(runId).map(({ id, name }) => [id, name]));
    const nameOf = (line: Line): string => {
      const name = jobs.size > 2 ? jobs.get(this.#jobOf(runId, line.recordId) ?? '') : undefined;
      return name === undefined ? '' : `[${name}] `;
    };
    return this.#of(runId)
      .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .map(line => `${line.at} ${nameOf(line)}${line.text}`);
  }

  #isSaid(runId: string, recordId: string, text: string): boolean {
    const jobId = this.#jobOf(runId, recordId);
    return this.#of(runId).some(
      line =>
        line.text === text && line.recordId !== undefined && this.#jobOf(runId, line.recordId) === jobId,
    );
  }

  /** The job that a record is, or is a task of. */
  #jobOf(runId: string, recordId: string | undefined): string | undefined {
    if (recordId === undefined) return undefined;
    const record = this.#state.records.get(`${runId}/${recordId}`);
    return record && (record.parentId ?? record.id);
  }

  #append(line: Line): void {
    const lines = this.#of(line.runId);
    const masked = { ...line, text: this.#secrets.mask(line.runId, line.text) };
    lines.push(masked);
    this.#state.lines.put(`${line.runId}/${lines.length}`, masked);
  }

  #of(runId: string): Line[] {
    let lines = this.#lines.get(runId);
    if (!lines) this.#lines.set(runId, (lines = []));
    return lines;
  }
}
