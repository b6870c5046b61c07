/** What a figure of the bench is: measured in one run, side by side, and shown in three ways (table, JSON, plot). */
export interface Figure {
  /** Short and stable: `--only` and the JSON know it by this. */
  readonly name: string;
  /** Figures that it reckons with: they are measured before it, even when only this one was asked for. */
  readonly needs?: readonly string[];
  /** @throws when something could not be measured: a bench must not print a number that it does not have. */
  measure(bench: Bench): Promise<Measured>;
}

/** Who is measured. `floor` is the bare work on the same storage, without a host. */
export type ContenderName = 'ours' | 'article' | 'monitor' | 'floor';

export interface Bench {
  readonly scale: Scale;
  /** Empty folder for whatever a measurement keeps; it is removed afterwards. */
  readonly folder: (name: string) => string;
  /** Says what is being done, for whoever waits. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** What has been measured before, by the name of its figure. */
  readonly earlier?: ReadonlyMap<string, Measured>;
}

/** How much is measured. */
export interface Scale {
  readonly name: 'full' | 'quick' | 'tiny';
  /** Calls at once, for the intake. */
  readonly bursts: readonly number[];
  /** Repetitions of what is noisy; the median is shown. */
  readonly repetitions: number;
  /** Requests that are followed one by one for their cost. */
  readonly perRequest: number;
  /** A short wait for the agent, in milliseconds; the long one is ten times as long. */
  readonly waitMs: number;
  /** Requests that wait at once while the calls to Azure DevOps and Batch are counted. */
  readonly waiting: readonly number[];
  /** Of those, the most that the monitor pattern is run with; each of its requests polls for itself. */
  readonly monitorWaiting: number;
  /** Requests at once, from end to end; the growth is that from the last but one to the last. */
  readonly endToEnd: readonly number[];
  /** Requests whose times are taken when nothing else happens. */
  readonly idleRequests: number;
}

export type Cell = string | number | undefined;

export interface Column {
  readonly key: string;
  readonly title: string;
  /** e.g. `ms`, `/s`, `MB`. */
  readonly unit?: string;
}

/** A goal of the project, with what was measured for it. */
export interface Goal {
  readonly text: string;
  readonly measured: string;
  readonly holds: boolean;
}

export interface Curve {
  /** Stable; the file of its plot is called after it. */
  readonly name: string;
  readonly title: string;
  readonly x: { readonly title: string; readonly log?: boolean };
  readonly y: { readonly title: string; readonly log?: boolean };
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

export interface Measured {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  readonly goals?: readonly Goal[];
  readonly curves?: readonly Curve[];
  /** What a reader must know to read the numbers right. */
  readonly notes?: readonly string[];
  /** What one request costs, for the cost model. */
  readonly costs?: readonly RequestCost[];
  /** What one look of our watch takes, for the cost model; it is not in the costs of the requests. */
  readonly watchRound?: WatchRound;
}

/** Counted: one look of the watch of a pool, whatever waits there, as long as its lists have one page. */
export interface WatchRound {
  readonly ownStorage: Readonly<Record<string, number>>;
  readonly episodes: number;
  readonly activities: number;
  readonly batchCalls: number;
  readonly devOpsCalls: number;
}

/** Counted, not timed: what one request of a contender takes, from being asked for to being cleaned up. */
export interface RequestCost {
  readonly contender: ContenderName;
  /** How long its agent was waited for, in milliseconds, when it is looked for as often as by default. */
  readonly waitMs: number;
  /** Storage transactions of the product's own table and queues, the trigger's included; by kind. */
  readonly ownStorage: Readonly<Record<string, number>>;
  /** Storage transactions of the Durable task hub and of the host on this machine; by kind. */
  readonly hostStorage: Readonly<Record<string, number>>;
  readonly episodes: number;
  readonly activities: number;
  /** Function executions of any other kind: HTTP, queue, timer. */
  readonly otherFunctions: number;
  readonly historyEvents: number;
  readonly historyBytes: number;
  readonly batchCalls: number;
  readonly devOpsCalls: number;
  readonly callbackCalls: number;
}
