/** What a failure code means to a person, and how to mend it: said once, for logs, command line, page and documents. */
export interface FailureGuide {
  readonly code: string;
  /** A few words, e.g. `The Batch pool is not there`. */
  readonly title: string;
  /** What most likely has happened. */
  readonly cause: string;
  /** What to do, as a sentence that can follow the cause in a pipeline's log. */
  readonly remedy: string;
  /** Who can do it. */
  readonly who: 'pipeline author' | 'platform team';
}

/** For a code that has no entry of its own. */
const unknown: Omit<FailureGuide, 'code'> = {
  title: 'Something else went wrong',
  cause: 'The message of the failure says all that is known.',
  remedy: 'Show it to the platform team, together with the id of the request.',
  who: 'platform team',
};

const guides: readonly FailureGuide[] = [];

/** Every code that the product gives has an entry. */
export const failureGuides = (): readonly FailureGuide[] => guides;

export const guideTo = (code: string): FailureGuide =>
  guides.find(guide => guide.code === code) ?? { code, ...unknown };

/**
 * Where a person reads about a failure; it takes no key.
 *
 * @param baseUrl where callers reach the API, without a trailing slash.
 */
export const helpUrl = (baseUrl: string, code: string): string =>
  `${baseUrl}/help/${encodeURIComponent(code)}`;
