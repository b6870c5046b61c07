import { execa } from 'execa';
import * as z from 'zod';

export interface AuditResult {
  readonly status: 'clean' | 'vulnerable' | 'unknown';
  readonly detail: string;
}

const severities = ['high', 'critical'] as const;
const Report = z.object({
  metadata: z.object({ vulnerabilities: z.record(z.string(), z.int()) }),
  vulnerabilities: z.record(z.string(), z.looseObject({ severity: z.string() })),
});

/**
 * Asks the registry whether what we ship has known vulnerabilities of a high severity. Not every registry answers
 * that, and offline none does: then nothing is known, which is neither good nor a fault of the change at hand.
 */
export async function audit(root: string, signal: AbortSignal): Promise<AuditResult> {
  const args = [
    'audit',
    '--omit=dev',
    '--audit-level=high',
    '--json',
    '--fetch-retries=0',
    '--fetch-timeout=15000',
  ];
  const { stdout, exitCode } = await execa('npm', args, { cwd: root, reject: false, cancelSignal: signal });
  return readAudit(stdout, exitCode);
}

/** Reads what `npm audit --json` printed. */
export function readAudit(output: string, exitCode: number | undefined): AuditResult {
  let report: z.infer<typeof Report>;
  try {
    report = Report.parse(JSON.parse(output));
  } catch {
    return { status: 'unknown', detail: `the registry does not answer npm audit (exit code ${exitCode})` };
  }
  const found = Object.entries(report.vulnerabilities).filter(([, { severity }]) =>
    severities.some(name => name === severity),
  );
  if (found.length === 0 && exitCode === 0) return { status: 'clean', detail: 'none of a high severity' };
  return {
    status: 'vulnerable',
    detail: found.map(([name, { severity }]) => `${name}: ${severity}`).join('\n'),
  };
}
