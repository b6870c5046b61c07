import { randomUUID } from 'node:crypto';
import pLimit, { type LimitFunction } from 'p-limit';
import { describeError, errorMessage, type Log } from '../log.js';
import { isTableMissing, sleep } from '../storage.js';
import { type KnownNames, missing } from './check-actions.js';
import {
  EventType,
  FailureDetails,
  type HistoryEvent,
  type SubOrchestrationCreated,
  type TaskScheduled,
} from './events.js';
import { callHttp } from './http-call.js';
import { LiveInstance, type TaskHub, toEvent } from './instance.js';
import { rewindHistory } from './rewind.js';
import {
  hasEnded,
  type InstanceRecord,
  type Message,
  newMessageKey,
  type ParentLink,
  type RuntimeStatus,
  type Store,
  type StoredInstance,
} from './store.js';

/** Runs the app's functions for the engine. */
export interface DurableFunctions {
  readonly known: KnownNames;
  /** The orchestrator's state object, or what it threw; undefined: there is none of that name. */
  orchestrator(name: string, binding: string): Promise<{ readonly result: unknown }> | undefined;
  /** JSON text of the result; undefined: there is none of that name. */
  activity(name: string, input: string | null, instanceId: string): Promise<string> | undefined;
}

export interface EngineOptions {
  readonly store: Store;
  readonly log: Log;
  readonly functions: DurableFunctions;
  readonly maxActivities: number;
  readonly maxOrchestrators: number;
  readonly defaultVersion: string | undefined;
  /** Resolves once a hub that was deleted is there again. */
  readonly untilHubIsThere: () => Promise<void>;
}

/** A call that the instance's state, or its absence, forbids. `status` is the HTTP status it has in the management API. */
export class DurableRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 409 | 410 | 412,
    message: string,
  ) {
    super(message);
  }
}

/** What is kept in memory of every instance, ended ones included. */
export type Summary = Pick<
  InstanceRecord,
  | 'instanceId'
  | 'name'
  | 'runtimeStatus'
  | 'createdTime'
  | 'lastUpdatedTime'
  | 'generation'
  | 'life'
  | 'parent'
>;

export interface StartRequest {
  readonly name: string;
  readonly instanceId?: string | undefined;
  readonly version?: string | undefined;
  /** JSON text. */
  readonly input: string | null;
  readonly parent?: ParentLink;
}

export interface Filter {
  readonly createdTimeFrom?: Date | undefined;
  readonly createdTimeTo?: Date | undefined;
  readonly runtimeStatus?: readonly string[] | undefined;
  readonly instanceIdPrefix?: string | undefined;
}

export interface InstanceState {
  readonly record: InstanceRecord;
  readonly events: readonly HistoryEvent[];
}

/**
 * The task hub: every instance of this app's orchestrations. It owns the hub alone (see lock.ts), so memory can say
 * which instances there are and only changes go to storage. Every call that changes something is stored before it
 * returns; what runs is recomputed from the stored histories at start, so activities run at least once.
 */
export class Engine implements TaskHub {
  readonly store: Store;
  readonly log: Log;
  readonly known: KnownNames;
  readonly #functions: DurableFunctions;
  readonly #activityLimit: LimitFunction;
  readonly #orchestratorLimit: LimitFunction;
  readonly #live = new Map<string, LiveInstance>();
  readonly #index = new Map<string, Summary>();
  /** Starts and purges of one id, one after the other. */
  readonly #perId = new Map<string, Promise<unknown>>();
  readonly #waiters = new Map<string, (() => void)[]>();
  readonly #stop = new AbortController();
  #draining = false;
  /** Counts the hubs that this one has been: what was stored in one is not in the next. */
  #hub = 0;

  constructor(private readonly options: EngineOptions) {
    this.store = options.store;
    this.log = options.log;
    this.#functions = options.functions;
    this.known = options.functions.known;
    this.#activityLimit = pLimit(options.maxActivities);
    this.#orchestratorLimit = pLimit(options.maxOrchestrators);
  }

  /** Loads the hub and goes on with everything that had not ended. */
  async start(): Promise<void> {
    await this.store.open();
    const stored = await this.store.scan();
    for (const instance of stored) {
      const { record } = instance;
      this.#index.set(record.instanceId, summaryOf(record));
      if (instance.waste.length > 0) this.#clean(record.instanceId, instance.waste);
      if (!hasEnded(record.runtimeStatus))
        this.#live.set(record.instanceId, new LiveInstance(this, instance));
    }
    if (this.#live.size > 0) {
      this.log.write(
        'information',
        'Host.Durable',
        `Going on with ${this.#live.size} orchestration instances.`,
      );
    }
    for (const instance of this.#live.values()) instance.resume();
  }

  /** No new activity starts any more; what runs goes on, and its results are stored. */
  drain(): void {
    this.#draining = true;
  }

  /**
   * Lets go of every instance because storage has lost them all: the hub was deleted. Resolves when nothing of theirs
   * is being stored any more, so that no row of an old instance can turn up in the new hub.
   */
  async forget(): Promise<void> {
    this.#hub += 1;
    const gone = [...this.#live.values()];
    this.log.write(
      'warning',
      'Host.Durable',
      `The task hub was deleted, and ${gone.length} orchestration instances that had not ended with it. It is made again, empty.`,
    );
    this.#live.clear();
    this.#index.clear();
    for (const wake of [...this.#waiters.values()].flat()) wake();
    this.#waiters.clear();
    await Promise.all(gone.map(instance => instance.close()));
    // Those that were just being stored have entered themselves again.
    this.#index.clear();
  }

  async close(): Promise<void> {
    this.#draining = true;
    this.#stop.abort();
    const closing = [...this.#live.values()].map(instance => instance.close());
    await Promise.race([Promise.all(closing), sleep(2_000)]);
    this.store.stop();
  }

  // --- the calls of clients ---

  /** @throws DurableRefusal 409 when the id is taken by an instance that has not ended */
  async startNew(request: StartRequest): Promise<string> {
    if (!this.known.orchestrators.has(request.name.toLowerCase())) {
      throw new DurableRefusal(400, missing(request.name, 'orchestrator', this.known.orchestrators));
    }
    const instanceId = request.instanceId ?? randomUUID().replaceAll('-', '');
    checkInstanceId(instanceId);
    await this.#serially(instanceId, async () => {
      const before = this.#index.get(instanceId);
      if (before && !hasEnded(before.runtimeStatus)) {
        throw new DurableRefusal(
          409,
          `An Orchestration instance with the status ${before.runtimeStatus} already exists.`,
        );
      }
      const now = new Date().toISOString();
      const executionId = this.newExecutionId();
      const record: InstanceRecord = {
        instanceId,
        name: request.name,
        version: request.version ?? this.options.defaultVersion,
        parent: request.parent,
        life: executionId,
        executionId,
        generation: (before?.generation ?? 0) + 1,
        runtimeStatus: 'Pending',
        createdTime: now,
        lastUpdatedTime: now,
        input: request.input,
        output: null,
        customStatus: null,
        failureDetails: undefined,
      };
      await this.#store(() => this.store.start(record));
      this.#index.set(instanceId, summaryOf(record));
      this.#load({ record, events: [], episode: 0, messages: [], historyKeys: [], waste: [] });
      if (before) this.#cleanOldLife(instanceId);
    });
    return instanceId;
  }

  async raiseEvent(instanceId: string, name: string, data: string | null): Promise<void> {
    await this.#send(instanceId, { key: newMessageKey(), kind: 'raise', name, data });
  }

  async terminate(instanceId: string, reason: string): Promise<void> {
    await this.#send(instanceId, {
      key: newMessageKey(),
      kind: 'terminate',
      name: '',
      data: JSON.stringify(reason),
    });
  }

  async suspend(instanceId: string, reason: string): Promise<void> {
    await this.#send(instanceId, {
      key: newMessageKey(),
      kind: 'suspend',
      name: '',
      data: JSON.stringify(reason),
    });
  }

  async resume(instanceId: string, reason: string): Promise<void> {
    await this.#send(instanceId, {
      key: newMessageKey(),
      kind: 'resume',
      name: '',
      data: JSON.stringify(reason),
    });
  }

  /** Starts the same orchestration with the same input once more. */
  async restart(instanceId: string, withNewId: boolean): Promise<string> {
    const state = await this.get(instanceId);
    if (!state) throw notFound(instanceId);
    const { name, input, version } = state.record;
    return await this.startNew({ name, input, version, ...(!withNewId && { instanceId }) });
  }

  /** Lets a failed instance try again what failed, its failed sub-orchestrations included. */
  async rewind(instanceId: string): Promise<void> {
    const summary = this.#index.get(instanceId);
    if (!summary) throw notFound(instanceId);
    if (summary.runtimeStatus !== 'Failed') {
      throw new DurableRefusal(
        412,
        'The rewind operation is only supported on failed orchestration instances.',
      );
    }
    await this.#serially(instanceId, async () => {
      const stored = await this.store.read(instanceId);
      if (!stored || stored.record.runtimeStatus !== 'Failed') throw notFound(instanceId);
      const { events, children } = rewindHistory(stored.events);
      for (const child of children) {
        if (this.#index.get(child)?.runtimeStatus === 'Failed') await this.rewind(child);
      }
      const change: Partial<InstanceRecord> = {
        generation: stored.record.generation + 1,
        runtimeStatus: 'Running',
        input: stored.record.input,
        output: null,
        failureDetails: undefined,
        lastUpdatedTime: new Date().toISOString(),
      };
      await this.store.commit({
        before: stored.record,
        change,
        episode: { number: 1, events },
        consumed: [],
        drop: stored.historyKeys,
      });
      const rewound = await this.store.read(instanceId);
      if (!rewound) throw notFound(instanceId);
      this.#index.set(instanceId, summaryOf(rewound.record));
      // Nothing need have arrived for the orchestrator to get on: it is asked once more all the same.
      const again = { EventType: EventType.GenericEvent, EventId: -1, Data: 'Rewound' } as const;
      this.#load(rewound).deliver({ ...again, Timestamp: new Date().toISOString() });
    });
  }

  /** @returns false when there is no such instance, or it has not ended */
  async purge(instanceId: string): Promise<boolean> {
    return await this.#serially(instanceId, async () => {
      const summary = this.#index.get(instanceId);
      if (!summary || !hasEnded(summary.runtimeStatus)) return false;
      await this.store.purge(instanceId);
      this.#index.delete(instanceId);
      return true;
    });
  }

  async purgeBy(filter: Filter): Promise<number> {
    let purged = 0;
    for (const summary of this.find(filter)) if (await this.purge(summary.instanceId)) purged += 1;
    return purged;
  }

  // --- reading ---

  /** The instance's state; `events` are only there when asked for or alive. */
  async get(instanceId: string, withEvents = false): Promise<InstanceState | undefined> {
    const live = this.#live.get(instanceId);
    if (live) return { record: live.record, events: live.events };
    if (!this.#index.has(instanceId)) return undefined;
    if (withEvents) return await this.store.read(instanceId);
    const record = await this.store.readRecord(instanceId);
    return record && { record, events: [] };
  }

  /** Instances that match, in the order of their ids. */
  find(filter: Filter): Summary[] {
    const wanted = filter.runtimeStatus && new Set(filter.runtimeStatus.map(status => status.toLowerCase()));
    return [...this.#index.values()]
      .map(summary => this.#live.get(summary.instanceId)?.record ?? summary)
      .filter(({ instanceId, createdTime, runtimeStatus }) => {
        const created = Date.parse(createdTime);
        if (filter.createdTimeFrom && created < filter.createdTimeFrom.getTime()) return false;
        if (filter.createdTimeTo && created > filter.createdTimeTo.getTime()) return false;
        if (filter.instanceIdPrefix && !instanceId.startsWith(filter.instanceIdPrefix)) return false;
        return !wanted || wanted.has(runtimeStatus.toLowerCase());
      })
      .toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  }

  /** Resolves when the instance has ended, or after `ms`. */
  async waitForEnd(instanceId: string, ms: number): Promise<void> {
    const summary = this.#index.get(instanceId);
    if (!summary || hasEnded(summary.runtimeStatus)) return;
    const waking = new AbortController();
    const waiters = this.#waiters.get(instanceId) ?? [];
    waiters.push(() => waking.abort());
    this.#waiters.set(instanceId, waiters);
    await sleep(ms, AbortSignal.any([waking.signal, this.#stop.signal]));
  }

  // --- what instances need ---

  newExecutionId(): string {
    return randomUUID().replaceAll('-', '');
  }

  runOrchestrator(name: string, binding: string): Promise<{ readonly result: unknown }> | undefined {
    if (!this.known.orchestrators.has(name.toLowerCase())) return undefined;
    return this.#orchestratorLimit(async () => {
      const running = this.#functions.orchestrator(name, binding);
      if (!running) throw new Error(missing(name, 'orchestrator', this.known.orchestrators));
      return await running;
    });
  }

  runTask(instance: LiveInstance, task: TaskScheduled): void {
    const { executionId, instanceId } = instance.record;
    const wanted = (): boolean =>
      !this.#draining &&
      !instance.closed &&
      instance.record.executionId === executionId &&
      instance.execution.tasks.has(task.EventId);
    const work = async (): Promise<void> => {
      if (!wanted()) return;
      const event = await this.#runTask(task, instanceId);
      // What was going on when the host is told to stop and did not end in time runs again at the next start.
      if (instance.record.executionId === executionId) instance.deliver(event);
    };
    // Durable HTTP calls may take long and need no processor, so they take no activity's place.
    const running = task.Http ? work() : this.#activityLimit(work);
    running.catch((error: unknown) => this.log.write('error', 'Host.Durable', describeError(error)));
  }

  async #runTask(task: TaskScheduled, instanceId: string): Promise<HistoryEvent> {
    const stamp = { EventId: -1, TaskScheduledId: task.EventId };
    try {
      const running = task.Http
        ? callHttp(task.Http)
        : this.#functions.activity(task.Name, task.Input, instanceId);
      if (!running) throw new Error(missing(task.Name, 'activity', this.known.activities));
      const Result = await running;
      return { EventType: EventType.TaskCompleted, ...stamp, Timestamp: new Date().toISOString(), Result };
    } catch (error) {
      return {
        EventType: EventType.TaskFailed,
        ...stamp,
        Timestamp: new Date().toISOString(),
        ...failureOf(`Activity function '${task.Name}' failed: `, error),
      };
    }
  }

  startChild(parent: LiveInstance, child: SubOrchestrationCreated): void {
    const { instanceId, executionId } = parent.record;
    const link: ParentLink = { instanceId, executionId, taskId: child.EventId };
    this.#startChild(parent, child, link).catch((error: unknown) => {
      if (this.#stop.signal.aborted) return;
      parent.deliver(childFailed(child.EventId, errorMessage(error), ''));
    });
  }

  async #startChild(parent: LiveInstance, child: SubOrchestrationCreated, link: ParentLink): Promise<void> {
    const before = this.#index.get(child.InstanceId);
    if (before && sameLink(before.parent, link)) {
      // It was started before the host was: it is running, or its end was not yet taken in.
      if (hasEnded(before.runtimeStatus)) {
        const state = await this.get(child.InstanceId);
        if (state) parent.deliver(childEnded(state.record, link));
      }
      return;
    }
    await this.startNew({
      name: child.Name,
      instanceId: child.InstanceId,
      version: child.Version,
      input: child.Input,
      parent: link,
    });
  }

  ended(instance: LiveInstance): void {
    const { record } = instance;
    this.#live.delete(record.instanceId);
    this.#index.set(record.instanceId, summaryOf(record));
    for (const wake of this.#waiters.get(record.instanceId) ?? []) wake();
    this.#waiters.delete(record.instanceId);
    const { parent } = record;
    if (!parent) return;
    const waiting = this.#live.get(parent.instanceId);
    if (waiting?.record.executionId === parent.executionId) waiting.deliver(childEnded(record, parent));
  }

  reload(instance: LiveInstance): void {
    const { instanceId } = instance.record;
    this.#reload(instance).catch((error: unknown) => {
      this.log.write(
        'error',
        'Host.Durable',
        `Instance ${instanceId} could not be loaded: ${describeError(error)}`,
      );
      if (!this.#stop.signal.aborted) setTimeout(() => this.reload(instance), 5_000).unref();
    });
  }

  async #reload(instance: LiveInstance): Promise<void> {
    const { instanceId } = instance.record;
    await instance.close();
    await sleep(1_000, this.#stop.signal);
    if (this.#stop.signal.aborted || this.#live.get(instanceId) !== instance) return;
    const stored = await this.store.read(instanceId);
    if (!stored) {
      this.#live.delete(instanceId);
      this.#index.delete(instanceId);
      return;
    }
    this.#index.set(instanceId, summaryOf(stored.record));
    if (hasEnded(stored.record.runtimeStatus)) this.ended(new LiveInstance(this, stored));
    else this.#load(stored);
  }

  // --- inside ---

  #load(stored: StoredInstance): LiveInstance {
    const instance = new LiveInstance(this, stored);
    this.#live.set(stored.record.instanceId, instance);
    instance.resume();
    return instance;
  }

  async #send(instanceId: string, message: Message): Promise<void> {
    const instance = this.#live.get(instanceId);
    if (!instance) {
      const summary = this.#index.get(instanceId);
      if (!summary) throw notFound(instanceId);
      throw ended(instanceId, summary.runtimeStatus);
    }
    const { record } = instance;
    try {
      await this.store.addMessage(record, message);
    } catch (error) {
      if (isTableMissing(error)) throw notFound(instanceId);
      throw error;
    }
    const now = this.#live.get(instanceId);
    if (now?.record.life === record.life) {
      now.deliver(toEvent(message), message);
      return;
    }
    if (!this.#index.has(instanceId)) throw notFound(instanceId);
    // It ended while the message was being stored.
    this.#clean(instanceId, [message.key]);
    throw ended(instanceId, this.#index.get(instanceId)?.runtimeStatus ?? 'Completed');
  }

  /** Stores something in the hub as it is now: one that was deleted meanwhile has lost it. */
  async #store(write: () => Promise<void>): Promise<void> {
    for (;;) {
      const hub = this.#hub;
      try {
        await write();
        if (hub === this.#hub) return;
      } catch (error) {
        if (!isTableMissing(error) || this.#stop.signal.aborted) throw error;
      }
      await this.options.untilHubIsThere();
    }
  }

  async #serially<T>(instanceId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#perId.get(instanceId) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#perId.set(instanceId, settled);
    try {
      return await mine;
    } finally {
      if (this.#perId.get(instanceId) === settled) this.#perId.delete(instanceId);
    }
  }

  /** Waste costs space and no correctness, so nobody waits for its removal. */
  #clean(instanceId: string, rowKeys: readonly string[]): void {
    this.store.deleteRows(instanceId, rowKeys).catch((error: unknown) => {
      this.log.write('debug', 'Host.Durable', `Old rows of ${instanceId} are left: ${errorMessage(error)}`);
    });
  }

  #cleanOldLife(instanceId: string): void {
    this.store
      .read(instanceId)
      .then(stored => stored && this.store.deleteRows(instanceId, stored.waste))
      .catch((error: unknown) => {
        this.log.write('debug', 'Host.Durable', `Old rows of ${instanceId} are left: ${errorMessage(error)}`);
      });
  }
}

const summaryOf = (record: InstanceRecord): Summary => ({
  instanceId: record.instanceId,
  name: record.name,
  runtimeStatus: record.runtimeStatus,
  createdTime: record.createdTime,
  lastUpdatedTime: record.lastUpdatedTime,
  generation: record.generation,
  life: record.life,
  parent: record.parent,
});

const sameLink = (a: ParentLink | undefined, b: ParentLink): boolean =>
  a?.instanceId === b.instanceId && a.executionId === b.executionId && a.taskId === b.taskId;

const notFound = (instanceId: string): DurableRefusal =>
  new DurableRefusal(404, `No instance with ID '${instanceId}' was found.`);

const ended = (instanceId: string, status: RuntimeStatus): DurableRefusal =>
  new DurableRefusal(410, `Instance '${instanceId}' has already ended (${status}).`);

function checkInstanceId(instanceId: string): void {
  if (instanceId.length === 0 || instanceId.length > 100 || instanceId.startsWith('@')) {
    throw new DurableRefusal(400, 'Instance IDs must be 1 to 100 characters and must not start with "@".');
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[/\\#?\u0000-\u001f\u007f-\u009f]/.test(instanceId)) {
    throw new DurableRefusal(400, 'Instance IDs must not contain "/", "\\", "#", "?" or control characters.');
  }
}

/** How the failure of an activity stands in the history. */
function failureOf(
  prefix: string,
  error: unknown,
): { Reason: string; Details: string; FailureDetails?: FailureDetails } {
  const message = errorMessage(error);
  const details = detailsIn(message);
  if (details)
    return {
      Reason: prefix + details.ErrorMessage,
      Details: details.StackTrace ?? '',
      FailureDetails: details,
    };
  return { Reason: prefix + message, Details: error instanceof Error ? (error.stack ?? '') : '' };
}

/** An app with an exception properties provider throws its failure as JSON in the message. */
function detailsIn(message: string): FailureDetails | undefined {
  if (!message.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(message);
    if (typeof value !== 'object' || value === null) return undefined;
    const upper = Object.fromEntries(
      Object.entries(value).map(([name, inner]: [string, unknown]) => [
        name.charAt(0).toUpperCase() + name.slice(1),
        inner,
      ]),
    );
    return FailureDetails.safeParse(upper).data;
  } catch {
    return undefined;
  }
}

function childEnded(record: InstanceRecord, link: ParentLink): HistoryEvent {
  const stamp = { EventId: -1, Timestamp: new Date().toISOString(), TaskScheduledId: link.taskId };
  if (record.runtimeStatus === 'Completed') {
    return {
      EventType: EventType.SubOrchestrationInstanceCompleted,
      ...stamp,
      Result: record.output ?? 'null',
    };
  }
  const output: unknown = record.output === null ? '' : JSON.parse(record.output);
  const reason = typeof output === 'string' ? output : JSON.stringify(output);
  if (record.runtimeStatus === 'Terminated')
    return childFailed(link.taskId, `The sub-orchestration was terminated: ${reason}`, '');
  return {
    ...childFailed(link.taskId, reason, ''),
    ...(record.failureDetails && { FailureDetails: record.failureDetails }),
  };
}

const childFailed = (taskId: number, Reason: string, Details: string): HistoryEvent => ({
  EventType: EventType.SubOrchestrationInstanceFailed,
  EventId: -1,
  Timestamp: new Date().toISOString(),
  TaskScheduledId: taskId,
  Reason,
  Details,
});
