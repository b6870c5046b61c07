import { describeError, type Log } from '../log.js';
import { ActionType, type OrchestratorAnswer, readAnswer, readFailure } from './actions.js';
import { type BegunEpisode, beginEpisode, httpPollMs } from './begin-episode.js';
import { type KnownNames, missing } from './check-actions.js';
import { type EndedEpisode, endEpisode, failEpisode } from './end-episode.js';
import {
  type EventOf,
  EventType,
  type HistoryEvent,
  type SubOrchestrationCreated,
  type TaskScheduled,
} from './events.js';
import { type Execution, emptyExecution, fold } from './execution.js';
import { hasEnded, type InstanceRecord, type Message, type Store, type StoredInstance } from './store.js';

/** What an instance needs of the task hub around it. */
export interface TaskHub {
  readonly store: Store;
  readonly log: Log;
  readonly known: KnownNames;
  newExecutionId(): string;
  /** Runs the orchestrator function once; undefined: there is none of that name. */
  runOrchestrator(name: string, binding: string): Promise<{ readonly result: unknown }> | undefined;
  runTask(instance: LiveInstance, task: TaskScheduled): void;
  startChild(instance: LiveInstance, child: SubOrchestrationCreated): void;
  ended(instance: LiveInstance): void;
  reload(instance: LiveInstance): void;
}

interface Pending {
  readonly event: HistoryEvent;
  readonly message?: Message;
}

/** A delete for each message goes into the episode's one transaction, which holds at most 100 changes. */
const messagesPerEpisode = 80;
const maxTimeoutMs = 2 ** 31 - 1;

/**
 * An instance that has not ended. Whatever happens to it is delivered as an event; events that arrive while an
 * episode runs wait for the next one together. Memory changes only after storage has: an episode that can't be
 * stored leaves nothing behind.
 */
export class LiveInstance {
  #record: InstanceRecord;
  #execution: Execution = emptyExecution();
  #events: HistoryEvent[] = [];
  /** The history as the SDK reads it; made once per event and not at each replay. */
  #replay: string[] = [];
  /** Names that the orchestrator waits for, as it spells them, by their lower case. */
  #awaited = new Map<string, string>();
  #episode: number;
  #historyKeys: string[];
  #pending: Pending[] = [];
  /** Keys of messages that are waiting or taken in: a message may come both from storage and from its sender. */
  #known = new Set<string>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #busy = false;
  #closed = false;
  #settled: Promise<void> = Promise.resolve();

  constructor(
    private readonly hub: TaskHub,
    stored: StoredInstance,
  ) {
    this.#record = stored.record;
    this.#episode = stored.episode;
    this.#historyKeys = [...stored.historyKeys];
    this.#remember(stored.events);
    for (const event of stored.events)
      if (isRaised(event) && event.Key !== undefined) this.#known.add(event.Key);
    for (const message of stored.messages) this.#accept(toEvent(message), message);
  }

  get record(): InstanceRecord {
    return this.#record;
  }
  get execution(): Execution {
    return this.#execution;
  }
  get events(): readonly HistoryEvent[] {
    return this.#events;
  }
  get closed(): boolean {
    return this.#closed;
  }

  /** Goes on where the history ends: what is open there is started (again). */
  resume(): void {
    if (this.#events.length === 0) this.#pending.unshift({ event: this.#startedEvent() });
    for (const task of this.#execution.tasks.values()) this.hub.runTask(this, task);
    for (const child of this.#execution.children.values()) this.hub.startChild(this, child);
    for (const timer of this.#execution.timers.values()) this.#arm(timer.EventId, timer.FireAt);
    this.#wake();
  }

  deliver(event: HistoryEvent, message?: Message): void {
    if (this.#closed) return;
    this.#accept(event, message);
    this.#wake();
  }

  #accept(event: HistoryEvent, message?: Message): void {
    if (!message) {
      this.#pending.push({ event });
    } else if (!this.#known.has(message.key)) {
      this.#known.add(message.key);
      this.#pending.push({ event, message });
    }
  }

  /** Stops all activity in memory; resolves when nothing more is being stored. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clearTimers();
    await this.#settled;
  }

  #startedEvent(): HistoryEvent {
    const { name, input, version } = this.#record;
    return {
      EventType: EventType.ExecutionStarted,
      EventId: -1,
      Timestamp: new Date().toISOString(),
      Name: name,
      Input: input,
      ...(version !== undefined && { Version: version }),
    };
  }

  #wake(): void {
    if (this.#busy || this.#closed || !this.#hasWork()) return;
    this.#busy = true;
    this.#settled = this.#run();
  }

  async #run(): Promise<void> {
    // Not at once: what arrives in the same turn becomes one episode.
    await new Promise(resolve => {
      setImmediate(resolve);
    });
    try {
      await this.#work();
      this.#busy = false;
      this.#wake();
    } catch (error) {
      this.#busy = false;
      if (this.#closed) return;
      this.hub.log.write(
        'error',
        'Host.Durable',
        `Instance ${this.#record.instanceId} is loaded anew from storage: ${describeError(error)}`,
      );
      this.hub.reload(this);
    }
  }

  /** While suspended, only what ends that counts. */
  #hasWork(): boolean {
    if (this.#record.runtimeStatus !== 'Suspended') return this.#pending.length > 0;
    return this.#pending.some(
      pending => isControl(pending) || pending.event.EventType === EventType.ExecutionTerminated,
    );
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      const end = this.#pending.find(({ event }) => event.EventType === EventType.ExecutionTerminated);
      if (end && end.event.EventType === EventType.ExecutionTerminated) {
        await this.#terminate(end.event, end.message);
        return;
      }
      const controls = this.#pending.filter(isControl);
      if (controls.length > 0) {
        await this.#suspendOrResume(controls);
        continue;
      }
      if (this.#record.runtimeStatus === 'Suspended') return;
      const batch = this.#take();
      if (batch.length === 0) return;
      await this.#runEpisode(batch);
    }
  }

  #take(): Pending[] {
    let messages = 0;
    const batch: Pending[] = [];
    for (const pending of this.#pending) {
      if (pending.message) messages += 1;
      if (messages > messagesPerEpisode) break;
      batch.push(pending);
    }
    return batch;
  }

  /** What arrived meanwhile stays. */
  #done(batch: readonly Pending[]): void {
    const done = new Set(batch);
    this.#pending = this.#pending.filter(pending => !done.has(pending));
  }

  async #terminate(
    event: EventOf<typeof EventType.ExecutionTerminated>,
    message: Message | undefined,
  ): Promise<void> {
    const at = this.#now().toISOString();
    const events = [{ ...event, Timestamp: at }];
    await this.#commit(events, messagesOf(this.#pending), {
      runtimeStatus: 'Terminated',
      output: event.Input,
      lastUpdatedTime: at,
    });
    this.hub.log.write(
      'information',
      'Host.Durable',
      `Instance ${this.#record.instanceId} was terminated${message ? ' as asked' : ''}.`,
    );
    this.#end();
  }

  async #suspendOrResume(controls: readonly Pending[]): Promise<void> {
    const at = this.#now().toISOString();
    const last = controls.at(-1);
    const runtimeStatus = last?.event.EventType === EventType.ExecutionSuspended ? 'Suspended' : 'Running';
    const events = controls.map(({ event }) => ({ ...event, Timestamp: at }));
    await this.#commit(events, messagesOf(controls), { runtimeStatus, lastUpdatedTime: at });
    this.#done(controls);
  }

  async #runEpisode(batch: readonly Pending[]): Promise<void> {
    const { name, executionId } = this.#record;
    const begun = beginEpisode(
      this.#execution,
      batch.map(({ event }) => event),
      executionId,
      this.#now(),
    );
    if (begun.told.length === 0) {
      this.#done(batch);
      return;
    }
    const { ended, answer } = await this.#answer(begun);
    if (this.#closed) return;
    const messages = messagesOf(batch);
    const customStatus = ended.customStatus;
    const change: Partial<InstanceRecord> = {
      ...(customStatus !== null && customStatus !== this.#record.customStatus && { customStatus }),
    };
    const { outcome } = ended;
    const at = begun.now.toISOString();
    if (outcome.kind === 'continueAsNew') {
      await this.#continueAsNew(outcome.input, ended.events, answer?.actions ?? [], messages, change);
      this.#done(batch);
      this.#dropOfOldExecution();
      return;
    }
    if (outcome.kind === 'completed') {
      Object.assign(change, { runtimeStatus: 'Completed', output: outcome.output, lastUpdatedTime: at });
    } else if (outcome.kind === 'failed') {
      Object.assign(change, {
        runtimeStatus: 'Failed',
        output: JSON.stringify(outcome.output),
        lastUpdatedTime: at,
        failureDetails: outcome.failureDetails,
      });
      this.hub.log.write(
        'error',
        'Host.Durable',
        `Instance ${this.#record.instanceId}: ${outcome.output.split('\n')[0]}`,
      );
    }
    await this.#commit(ended.events, messages, change);
    this.#done(batch);
    if (outcome.kind !== 'running') this.#end();
    else this.#act(ended.events, name);
  }

  /** Asks the orchestrator, anew if it waits under another spelling for an event that it has just been told. */
  async #answer(begun: BegunEpisode): Promise<{ ended: EndedEpisode; answer?: OrchestratorAnswer }> {
    const { name, executionId } = this.#record;
    if (begun.expired !== undefined) {
      return {
        ended: failEpisode(name, begun, {
          error: begun.expired,
          customStatus: undefined,
          failureDetails: undefined,
        }),
      };
    }
    for (;;) {
      try {
        const running = this.hub.runOrchestrator(name, this.#binding(begun));
        if (!running) throw new Error(missing(name, 'orchestrator', this.hub.known.orchestrators));
        const answer = readAnswer((await running).result);
        if (this.#learnAwaited(answer, begun)) continue;
        return {
          ended: endEpisode(name, this.#execution, executionId, begun, answer, this.hub.known),
          answer,
        };
      } catch (thrown) {
        return { ended: failEpisode(name, begun, readFailure(thrown)) };
      }
    }
  }

  #binding(begun: BegunEpisode): string {
    const { instanceId, input, parent } = this.#record;
    const history = [...this.#replay, ...begun.told.map(event => this.#toReplay(event, false))].join(',');
    const rest = JSON.stringify({
      instanceId,
      isReplaying: false,
      parentInstanceId: parent?.instanceId,
      // Timers of any length: the SDK would cut longer ones into pieces, which only some storage needs.
      maximumShortTimerDuration: '10675199.02:48:05.4775807',
      longRunningTimerIntervalDuration: '3.00:00:00',
      defaultHttpAsyncRequestSleepTimeMillseconds: httpPollMs,
      upperSchemaVersion: 3,
      upperSchemaVersionNew: 3,
    });
    return `{"history":[${history}],"input":${input ?? 'null'},${rest.slice(1)}`;
  }

  #toReplay(event: HistoryEvent, IsPlayed: boolean): string {
    const Name =
      event.EventType === EventType.EventRaised ? this.#awaited.get(event.Name.toLowerCase()) : undefined;
    return JSON.stringify({ ...event, ...(Name !== undefined && { Name }), IsPlayed });
  }

  /**
   * Event names match in any case, but the SDK compares them exactly; so events are told under the spelling that is
   * waited for. Returns true when an event was told under another.
   */
  #learnAwaited(answer: OrchestratorAnswer, begun: BegunEpisode): boolean {
    let learnt = false;
    for (const action of answer.actions) {
      if (action.actionType !== ActionType.WaitForExternalEvent) continue;
      const { externalEventName } = action;
      const lower = externalEventName.toLowerCase();
      if (this.#awaited.has(lower)) continue;
      this.#awaited.set(lower, externalEventName);
      const raised = [...this.#events, ...begun.told].filter(isRaised);
      learnt ||= raised.some(event => event.Name.toLowerCase() === lower && event.Name !== externalEventName);
    }
    if (learnt) this.#replay = this.#events.map(event => this.#toReplay(event, true));
    return learnt;
  }

  async #commit(
    events: readonly HistoryEvent[],
    consumed: readonly Message[],
    change: Partial<InstanceRecord>,
  ): Promise<void> {
    const number = this.#episode + 1;
    const before = this.#record;
    const written = await this.hub.store.commit({ before, change, episode: { number, events }, consumed });
    this.#episode = number;
    this.#historyKeys.push(...written);
    const runtimeStatus = before.runtimeStatus === 'Pending' ? 'Running' : before.runtimeStatus;
    const lastUpdatedTime = events.at(-1)?.Timestamp ?? before.lastUpdatedTime;
    this.#record = { ...before, runtimeStatus, lastUpdatedTime, ...change };
    this.#remember(events);
  }

  async #continueAsNew(
    input: string | null,
    events: readonly HistoryEvent[],
    actions: OrchestratorAnswer['actions'],
    messages: readonly Message[],
    change: Partial<InstanceRecord>,
  ): Promise<void> {
    const before = this.#record;
    const leftOver = unprocessed([...this.#events, ...events].filter(isRaised), actions);
    const kept = new Set(leftOver.map(event => event.Key));
    const here = new Set(messages.map(message => message.key));
    const carried: Message[] = leftOver.map(event => ({
      key: event.Key ?? '',
      kind: 'raise',
      name: event.Name,
      data: event.Input,
    }));
    const now: Partial<InstanceRecord> = {
      ...change,
      generation: before.generation + 1,
      executionId: this.hub.newExecutionId(),
      runtimeStatus: 'Running',
      input,
      lastUpdatedTime: this.#now().toISOString(),
    };
    await this.hub.store.commit({
      before,
      change: now,
      consumed: messages.filter(message => !kept.has(message.key)),
      carried: carried.filter(message => !here.has(message.key)),
      drop: this.#historyKeys,
    });
    this.#record = { ...before, ...now };
    this.#execution = emptyExecution();
    this.#events = [];
    this.#replay = [];
    this.#awaited = new Map();
    this.#episode = 0;
    this.#historyKeys = [];
    this.#clearTimers();
    this.#pending.unshift(
      { event: this.#startedEvent() },
      ...carried.map(message => ({ event: toEvent(message), message })),
    );
  }

  /** Results of what the execution before continueAsNew had started mean nothing to the new one. */
  #dropOfOldExecution(): void {
    this.#pending = this.#pending.filter(
      ({ event, message }) => message !== undefined || event.EventType === EventType.ExecutionStarted,
    );
  }

  #remember(events: readonly HistoryEvent[]): void {
    this.#execution = fold(this.#execution, events);
    for (const event of events) {
      this.#events.push(event);
      this.#replay.push(this.#toReplay(event, true));
    }
  }

  /** Starts what the episode has asked for, now that it is stored. */
  #act(events: readonly HistoryEvent[], name: string): void {
    for (const event of events) {
      if (event.EventType === EventType.TaskScheduled) this.hub.runTask(this, event);
      else if (event.EventType === EventType.SubOrchestrationInstanceCreated)
        this.hub.startChild(this, event);
      else if (event.EventType === EventType.TimerCreated && this.#execution.timers.has(event.EventId)) {
        this.#arm(event.EventId, event.FireAt);
      }
    }
    for (const [number, timer] of this.#timers) {
      if (this.#execution.timers.has(number)) continue;
      clearTimeout(timer);
      this.#timers.delete(number);
    }
    this.hub.log.write('debug', 'Host.Durable', `Instance ${this.#record.instanceId} of ${name} is stored.`);
  }

  #arm(number: number, FireAt: string): void {
    const wait = Date.parse(FireAt) - Date.now();
    const timer = setTimeout(
      () => {
        if (wait > maxTimeoutMs || Date.parse(FireAt) > Date.now() + 1) {
          this.#arm(number, FireAt);
          return;
        }
        this.#timers.delete(number);
        const Timestamp = new Date().toISOString();
        this.deliver({ EventType: EventType.TimerFired, EventId: -1, Timestamp, TimerId: number, FireAt });
      },
      Math.max(0, Math.min(wait, maxTimeoutMs)),
    );
    this.#timers.set(number, timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Time never runs backwards within a history, and a timer that fired is always due. */
  #now(): Date {
    const last = this.#events.at(-1)?.Timestamp;
    let now = Date.now();
    if (last !== undefined) now = Math.max(now, Date.parse(last));
    for (const { event } of this.#pending) {
      if (event.EventType === EventType.TimerFired) now = Math.max(now, Date.parse(event.FireAt));
    }
    return new Date(now);
  }

  #end(): void {
    this.#closed = true;
    this.#clearTimers();
    if (hasEnded(this.#record.runtimeStatus)) this.hub.ended(this);
  }
}

const isRaised = (event: HistoryEvent): event is EventOf<typeof EventType.EventRaised> =>
  event.EventType === EventType.EventRaised;

const isControl = ({ event }: Pending): boolean =>
  event.EventType === EventType.ExecutionSuspended || event.EventType === EventType.ExecutionResumed;

const messagesOf = (batch: readonly Pending[]): Message[] =>
  batch.flatMap(({ message }) => (message ? [message] : []));

/** Events that were raised and that no wait has taken: more of a name than waits for it. */
export function unprocessed(
  raised: readonly EventOf<typeof EventType.EventRaised>[],
  actions: OrchestratorAnswer['actions'],
): EventOf<typeof EventType.EventRaised>[] {
  const waits = new Map<string, number>();
  for (const action of actions) {
    if (action.actionType !== ActionType.WaitForExternalEvent) continue;
    const name = action.externalEventName.toLowerCase();
    waits.set(name, (waits.get(name) ?? 0) + 1);
  }
  return raised.filter(event => {
    const name = event.Name.toLowerCase();
    const left = waits.get(name) ?? 0;
    if (left > 0) waits.set(name, left - 1);
    return left <= 0;
  });
}

/** The history event that a message becomes. */
export function toEvent({ kind, name, data, key }: Message): HistoryEvent {
  const stamp = { EventId: -1, Timestamp: new Date().toISOString() };
  if (kind === 'raise')
    return { EventType: EventType.EventRaised, ...stamp, Name: name, Input: data, Key: key };
  const types = {
    terminate: EventType.ExecutionTerminated,
    suspend: EventType.ExecutionSuspended,
    resume: EventType.ExecutionResumed,
  } as const;
  return { EventType: types[kind], ...stamp, Input: data };
}
