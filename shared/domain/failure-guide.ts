import { agentFailures } from './failure-guide/agent.js';
import { batchFailures } from './failure-guide/batch.js';
import { devOpsFailures } from './failure-guide/devops.js';
import type { FailureEntry } from './failure-guide/entry.js';
import { intakeFailures } from './failure-guide/intake.js';
import { productFailures } from './failure-guide/product.js';

/** Where it goes wrong, in the order of a request's life. */
export const failureAreas = [
  'Queue messages',
  'Azure Batch',
  "The agent's container and node",
  'Azure DevOps',
  'The app and its storage',
] as const;
export type FailureArea = (typeof failureAreas)[number];

/** What a failure code means to a person, and how to mend it: said once, for logs, command line, page and documents. */
export interface FailureGuide extends FailureEntry {
  readonly code: string;
  readonly area: FailureArea;
}

const entries = {
  ...intakeFailures,
  ...batchFailures,
  ...agentFailures,
  ...devOpsFailures,
  ...productFailures,
} as const;

/**
 * Every code that the product gives. Whoever gives a failure names one of these, so a new code does not compile before
 * it has an entry.
 */
export type FailureCode = keyof typeof entries;

/** For a code that has no entry of its own. */
const unknown: Omit<FailureGuide, 'code'> = {
  title: 'Something else went wrong',
  cause: 'The message of the failure says all that is known.',
  remedy: 'Find out more from the message of the failure and the log of the app, by the id of the request.',
  who: 'platform team',
  follows: 'The state and the history of the request tell what became of it.',
  area: 'The app and its storage',
};

const ofArea = (area: FailureArea, some: Readonly<Record<string, FailureEntry>>): readonly FailureGuide[] =>
  Object.entries(some).map(([code, entry]) => ({ code, area, ...entry }));

const guides: readonly FailureGuide[] = [
  ...ofArea('Queue messages', intakeFailures),
  ...ofArea('Azure Batch', batchFailures),
  ...ofArea("The agent's container and node", agentFailures),
  ...ofArea('Azure DevOps', devOpsFailures),
  ...ofArea('The app and its storage', productFailures),
];

/** One for each {@link FailureCode}, area by area. */
export const failureGuides = (): readonly FailureGuide[] => guides;

const byCode: ReadonlyMap<string, FailureGuide> = new Map(guides.map(guide => [guide.code, guide]));

export const isFailureCode = (code: string): code is FailureCode => byCode.has(code);

/** A code without an entry, e.g. in a row of another version, gets one that sends its reader on. */
export const guideTo = (code: string): FailureGuide => byCode.get(code) ?? { code, ...unknown };

/** What to do about it, for the end of a failure's message. */
export const remedyFor = (code: FailureCode): string => entries[code].remedy;

/**
 * What happened, without what to do: for a place that gives the guide's remedy beside it.
 *
 * @returns one line.
 */
export const causeOf = ({ code, message }: { readonly code: string; readonly message: string }): string =>
  message.replace(guideTo(code).remedy, '').replaceAll(/\s+/g, ' ').trim();

/**
 * Where a person reads about a failure; it takes no key.
 *
 * @param baseUrl where callers reach the API, without a trailing slash.
 */
export const helpUrl = (baseUrl: string, code: string): string =>
  `${baseUrl}/help/${encodeURIComponent(code)}`;
