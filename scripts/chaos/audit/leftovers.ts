import type { Evidence } from '../evidence.js';

/** Nothing is left of requests that have ended, their pipelines' tokens least of all. */
export const auditLeftovers = ({ leftovers, rows }: Evidence): readonly string[] => [
  ...leftovers,
  ...rows
    .filter(({ text }) => /sealedToken|AuthToken/i.test(text))
    .map(({ rowKey }) => `Row ${rowKey} still has a token of its pipeline.`),
];
