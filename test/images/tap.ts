/** One test of a TAP report. */
export interface TapTest {
  readonly name: string;
  readonly ok: boolean;
  /** Why it was not run. */
  readonly skipped: string | undefined;
  /** The lines that follow a test that failed. */
  readonly details: string;
}

const line = /^(?<not>not )?ok \d+ (?<name>.*?)(?: # skip ?(?<why>.*))?$/;

/** @returns undefined when it is no complete report: its plan is missing, or tells of more tests than are there. */
export function readTap(text: string): readonly TapTest[] | undefined {
  const planned = /^1\.\.(\d+)$/m.exec(text)?.[1];
  const tests: { name: string; ok: boolean; skipped: string | undefined; details: string }[] = [];
  for (const row of text.split('\n')) {
    const { not, name, why } = line.exec(row)?.groups ?? {};
    if (name !== undefined) tests.push({ name, ok: not === undefined, skipped: why, details: '' });
    else if (row.startsWith('#')) {
      const latest = tests.at(-1);
      if (latest) latest.details += `${row.replace(/^# ?/, '')}\n`;
    }
  }
  return planned !== undefined && Number(planned) === tests.length ? tests : undefined;
}
