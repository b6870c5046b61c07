import type { Evidence } from '../evidence.js';
import { auditAgents } from './agents.js';
import { auditDeadLetters } from './dead-letters.js';
import { auditEnds } from './ends.js';
import { auditHistories } from './history.js';
import { auditLeftovers } from './leftovers.js';
import { auditPipelines } from './pipelines.js';
import { auditCancellations } from './reasons.js';
import { auditReplies } from './replies.js';

/** What each rule is about, and the rule: it gives a sentence for everything that should not be. */
export const rules: Readonly<Record<string, (evidence: Evidence) => readonly string[]>> = {
  'lost or doubled': auditEnds,
  history: auditHistories,
  agents: auditAgents,
  cancellations: auditCancellations,
  pipelines: auditPipelines,
  'dead letters': auditDeadLetters,
  replies: auditReplies,
  'left over': auditLeftovers,
};

/** Judges a run from outside: it knows what is published of the product, and nothing of how it is made. */
export const audit = (evidence: Evidence): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(rules).map(([name, rule]) => [name, rule(evidence)]));
