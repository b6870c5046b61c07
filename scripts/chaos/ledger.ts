import type { RequestKind, RequestStep } from './schedule.js';

/** What one caller did and was told: what the audit holds the product to. */
export interface Asked {
  /** Every request that came of it bears this tag `chaos`; a run, this name. */
  readonly tag: string;
  readonly kind: RequestKind;
  /** The id that the caller gave. */
  readonly requestId?: string;
  /** How often it was sent in such a way that it may have arrived. */
  sent: number;
  /** What came back, in order. */
  readonly answers: Answered[];
  /** A queue message as it was sent. */
  message?: string;
  replyQueue?: string;
  /** A cancellation was sent, and may have been taken. */
  cancelSent: boolean;
  /** Why the caller never got its request through, if so. */
  gaveUp?: string;
}

export interface Answered {
  readonly status: number;
  readonly requestId: string | null;
}

/** Everything that the callers know. */
export class Ledger {
  readonly #asked = new Map<string, Asked>();

  constructor(private readonly seed: number) {}

  open({ number, kind }: RequestStep): Asked {
    const tag = `${this.seed}-${number}`;
    const own = ownId[kind];
    const asked: Asked = {
      tag,
      kind,
      ...(own ? { requestId: `${own}-${tag}` } : {}),
      sent: 0,
      answers: [],
      cancelSent: false,
    };
    this.#asked.set(tag, asked);
    return asked;
  }

  all(): readonly Asked[] {
    return [...this.#asked.values()];
  }
}

const ownId: Partial<Record<RequestKind, string>> = {
  pipelineRerun: 'rerun',
  http: 'http',
  httpRepeated: 'again',
  httpDeleted: 'deleted',
  message: 'message',
  messageTwice: 'twice',
};
