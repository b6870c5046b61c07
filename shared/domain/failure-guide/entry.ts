export const failureWho = ['pipeline author', 'platform team', 'sender of the message'] as const;

/** What a code means, in words; the code itself is the key that it is kept under. */
export interface FailureEntry {
  /** A few words, e.g. `The Batch pool is not there`. */
  readonly title: string;
  /** What most likely has happened. */
  readonly cause: string;
  /** What to do: one sentence that begins with a verb, so that it can follow "Ask the platform team to". */
  readonly remedy: string;
  /** Who can do it. */
  readonly who: (typeof failureWho)[number];
  /** What the product does about it by itself, and the state that the request is in. */
  readonly follows: string;
}

/** Ways for a request to go on. Many codes share one, and each is told in one way. */
export const follows = {
  endsAtOnce: 'The request ends at once, as deadLettered: trying again would not help.',
  nextAttempt:
    'The agent is taken back and the request is provisioning again, for its next attempt; after its last one it is deadLettered.',
  triedAgain:
    'The step is tried again with growing pauses, as long as the service asks for but at most 10 min. If it keeps ' +
    'failing, the next attempt follows, and after the last one the request is deadLettered.',
  triedEachMinute:
    'The request stays provisioning and the step is tried about once a minute, until its timeoutMinutes are over; then it is deadLettered.',
  waits:
    'The request stays starting. The reason is told to the pipeline and noted in the history; if the time runs out, the request is deadLettered with it.',
  timeIsUp: 'The time of the request is over, so it is deadLettered.',
  jobLost: 'The agent had its job, so the request ends as completed; Azure DevOps reports the job as lost.',
  messageKept:
    'The request is deadLettered, with the message kept byte for byte; it can be redriven once the cause is mended.',
  byItself:
    'The step is done again, and nearly always that is all; the request stays in the state that it is in.',
} as const;
