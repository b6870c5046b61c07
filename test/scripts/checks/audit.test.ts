import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAudit } from '../../../scripts/checks/audit.js';

const auditing = suite('what npm audit says');

const report = (severities: Record<string, string>): string =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: Object.fromEntries(
      Object.entries(severities).map(([name, severity]) => [name, { name, severity, via: [] }]),
    ),
    metadata: { vulnerabilities: { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0 } },
  });

auditing('a report without findings is clean', () => {
  assert.is(readAudit(report({}), 0).status, 'clean');
});

auditing('a moderate finding is let through', () => {
  assert.is(readAudit(report({ left: 'moderate' }), 0).status, 'clean');
});

auditing('a high one is named', () => {
  assert.equal(readAudit(report({ left: 'moderate', right: 'high' }), 1), {
    status: 'vulnerable',
    detail: 'right: high',
  });
});

auditing('a registry without an answer is unknown, not clean', () => {
  const refusal = '{"message":"405 Method Not Allowed","statusCode":405,"error":{"summary":"","detail":""}}';
  for (const output of ['', 'no JSON', refusal]) assert.is(readAudit(output, 1).status, 'unknown');
});

auditing.run();
