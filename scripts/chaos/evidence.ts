import type { Asked } from './ledger.js';
import type { Kill } from './parts.js';

/** What there is to judge: what callers know, and what is found wherever a request leaves something. Times: ISO 8601. */
export interface Evidence {
  readonly asked: readonly Asked[];
  readonly rows: readonly RequestRow[];
  readonly deadLetters: readonly DeadLetter[];
  readonly replies: readonly ReplyMessage[];
  readonly runs: readonly RunRecord[];
  readonly agents: readonly AgentRecord[];
  readonly kills: readonly Kill[];
  /** When the whole Durable state was deleted. */
  readonly forgotten: readonly string[];
  readonly bites: readonly Bite[];
  /** What is left and should not be, as sentences. */
  readonly leftovers: readonly string[];
}

export interface HistoryLine {
  readonly state: string;
  readonly at: string;
  readonly attempt: number;
  readonly detail: string;
}

/** A request as it lies in the table. */
export interface RequestRow {
  readonly rowKey: string;
  readonly requestId: string;
  /** Its tag `chaos`; none when the message could not be understood. */
  readonly tag: string | undefined;
  readonly generation: number;
  readonly state: string;
  readonly attempt: number;
  readonly history: readonly HistoryLine[];
  readonly failureCode: string | undefined;
  readonly planId: string | undefined;
  readonly taskInstanceId: string | undefined;
  readonly replyQueue: string | undefined;
  /** The message that it came as, in base64. */
  readonly message: string;
  /** Everything of the row as text, to be searched. */
  readonly text: string;
}

export interface DeadLetter {
  readonly requestId: string;
  readonly generation: number;
  readonly at: string;
  readonly failureCode: string;
  /** The original message, in base64; undefined where it was left in the table. */
  readonly message: string | undefined;
}

export interface ReplyMessage {
  readonly requestId: string;
  readonly state: string;
}

/** A pipeline run as the stand-in for Azure DevOps played it. */
export interface RunRecord {
  readonly runId: string;
  /** The tag of the request that its author made. */
  readonly name: string;
  readonly state: string;
  readonly result: string | null;
  readonly planId: string;
  readonly taskInstanceId: string;
  readonly waits: boolean;
  /** Answered with a status below 300. */
  readonly asked: boolean;
  readonly completions: readonly {
    readonly result: string;
    readonly at: string;
    readonly accepted: boolean;
  }[];
  /** The job on an agent, once one has taken it. */
  readonly jobAgent: string | undefined;
  readonly jobStartedAt: string | undefined;
  /** Cancelled at the very end because its job had no agent to run on any more. */
  readonly abandoned: boolean;
  readonly finishedAt: string | undefined;
}

/** An agent as it was registered, with its sessions. */
export interface AgentRecord {
  readonly id: number;
  readonly name: string;
  readonly registeredAt: string;
  readonly removedAt: string | undefined;
  readonly sessions: readonly { readonly openedAt: string; readonly endedAt: string | undefined }[];
}

/** A fault that a call met. */
export interface Bite {
  readonly part: string;
  readonly call: string;
  readonly at: string;
  /** The name of the rule. */
  readonly rule: string;
}

/** `{requestId}-{attempt}` is the name of an agent and of its task. */
export const requestOfAgent = (name: string): string => name.replace(/-\d+$/, '');
