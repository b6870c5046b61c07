import { isDeepStrictEqual } from 'node:util';
import type { OrchestrationHandler } from 'durable-functions';
import {
  createOrchestrator,
  DummyOrchestrationContext,
} from 'durable-functions/lib/src/util/testingUtils.js';
import * as z from 'zod';

/**
 * Drives an orchestration as a host does, on a virtual clock: every episode replays the whole history from its first
 * event, and its actions must extend those of the episode before. The SDK itself does not notice when they do not.
 */
export interface World {
  /** What activities answer, at once or as a promise; a throw fails the activity. `at` is the virtual time. */
  readonly activities: Readonly<Record<string, (input: unknown, call: number, at: Date) => unknown>>;
  /** Events and when they are raised, in seconds from the start. */
  readonly events?:
    | undefined
    | readonly { readonly at: number; readonly name: string; readonly data: unknown }[];
  readonly input: unknown;
  readonly instanceId?: string;
  /** Give up when this much virtual time has passed, in hours. */
  readonly limitHours?: number;
}

export interface Replayed {
  readonly output: unknown;
  readonly error: string | undefined;
  readonly continuedWith: unknown;
  /** Activity calls in order. */
  readonly calls: readonly { readonly name: string; readonly input: unknown; readonly at: number }[];
  readonly episodes: number;
  /** The history as the last episode got it. */
  readonly history: readonly HistoryEvent[];
  readonly actions: readonly Action[];
  /** Virtual seconds that it took. */
  readonly seconds: number;
  /** Timers that were neither fired nor cancelled at the end. */
  readonly openTimers: number;
}

type HistoryEvent = Readonly<Record<string, unknown>>;
interface Action {
  readonly actionType: number;
  readonly functionName?: string | undefined;
  readonly input?: unknown;
  readonly fireAt?: string | undefined;
  readonly isCanceled?: boolean | undefined;
  readonly externalEventName?: string | undefined;
  readonly compoundActions?: readonly Action[] | undefined;
}

const actionSchema: z.ZodType<Action> = z.lazy(() =>
  z.looseObject({
    actionType: z.number(),
    functionName: z.string().optional(),
    input: z.unknown().optional(),
    fireAt: z.string().optional(),
    isCanceled: z.boolean().optional(),
    externalEventName: z.string().optional(),
    compoundActions: z.array(actionSchema).optional(),
  }),
);
const stateSchema = z.looseObject({
  isDone: z.boolean(),
  actions: z.array(z.array(actionSchema)),
  output: z.unknown().optional(),
  error: z.string().optional(),
});

const callActivity = 0;
const continueAsNew = 4;
const createTimer = 5;
const start = Date.parse('2026-01-05T08:00:00.000Z');

/** One episode over a recorded history: the actions that the code takes on it. */
export async function actionsOn(
  handler: OrchestrationHandler,
  instanceId: string,
  input: unknown,
  history: readonly HistoryEvent[],
): Promise<{ readonly actions: readonly Action[]; readonly state: z.infer<typeof stateSchema> }> {
  const trigger = {
    // The SDK writes into the events that it is given.
    history: structuredClone(history),
    input,
    instanceId,
    isReplaying: false,
    upperSchemaVersion: 3,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  };
  const context = new DummyOrchestrationContext('orchestration', 'invocation', () => undefined);
  const result: unknown = await createOrchestrator(handler)(trigger, context).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    const stateText = message.split('$OutOfProcData$:').at(-1) ?? '';
    return JSON.parse(stateText) as unknown;
  });
  const state = stateSchema.parse(JSON.parse(JSON.stringify(result)));
  return { actions: flatten(state.actions.flat()), state };
}

export async function replay(handler: OrchestrationHandler, world: World): Promise<Replayed> {
  const instanceId = world.instanceId ?? 'instance';
  const calls: { name: string; input: unknown; at: number }[] = [];
  const history: HistoryEvent[] = [];
  /** What is to happen, in order of time; `sequence` keeps what happens at once in order. */
  const agenda: { readonly at: number; readonly sequence: number; readonly event: HistoryEvent }[] = [];
  const cancelled = new Set<number>();
  const fired = new Set<number>();
  let sequence = 0;
  let now = start;
  let done: readonly Action[] = [];
  let episodes = 0;
  const timers = new Set<number>();

  const at = (ms: number): string => new Date(ms).toISOString();
  const event = (type: number, more: Readonly<Record<string, unknown>> = {}): HistoryEvent => ({
    EventType: type,
    EventId: -1,
    IsPlayed: false,
    Timestamp: at(now),
    ...more,
  });
  const plan = (ms: number, what: HistoryEvent): void => {
    sequence += 1;
    agenda.push({ at: ms, sequence, event: what });
  };

  for (const raised of world.events ?? []) {
    plan(start + raised.at * 1_000, { EventType: 15, Name: raised.name, Input: JSON.stringify(raised.data) });
  }
  let news: HistoryEvent[] = [event(0, { Name: 'orchestration', Input: JSON.stringify(world.input) })];

  for (;;) {
    history.push(event(12), ...news);
    episodes += 1;
    const { actions, state } = await actionsOn(handler, instanceId, world.input, history);
    mustExtend(done, actions);

    for (const [index, { action, id }] of numbered(actions).entries()) {
      const isNew = index >= numbered(done).length;
      if (action.actionType === callActivity && isNew) {
        const name = action.functionName ?? '';
        const input: unknown = typeof action.input === 'string' ? JSON.parse(action.input) : action.input;
        calls.push({ name, input, at: (now - start) / 1_000 });
        history.push(event(4, { EventId: id, Name: name }));
        const times = calls.filter(call => call.name === name).length;
        plan(now + 1, await answer(world, name, input, id, times, new Date(now)));
      }
      if (action.actionType === createTimer) {
        if (isNew) {
          timers.add(id);
          history.push(event(10, { EventId: id, FireAt: action.fireAt }));
          plan(Math.max(now, Date.parse(action.fireAt ?? '')), {
            EventType: 11,
            TimerId: id,
            FireAt: action.fireAt,
          });
        }
        if (action.isCanceled) cancelled.add(id);
      }
    }
    history.push(event(13));
    done = actions;

    const last = actions.at(-1);
    if (state.isDone || state.error !== undefined) {
      return {
        output: state.output,
        error: state.error,
        continuedWith: last?.actionType === continueAsNew ? last.input : undefined,
        calls,
        episodes,
        history,
        actions,
        seconds: (now - start) / 1_000,
        openTimers: [...timers].filter(id => !cancelled.has(id) && !fired.has(id)).length,
      };
    }

    agenda.sort((a, b) => a.at - b.at || a.sequence - b.sequence);
    let next = agenda.shift();
    while (next && cancelled.has(Number(next.event['TimerId'] ?? -1))) next = agenda.shift();
    if (!next)
      throw new Error(
        `The orchestration waits for ever; it called ${calls.map(call => call.name).join(', ')}.`,
      );
    now = Math.max(now, next.at);
    if (now - start > (world.limitHours ?? 200) * 3_600_000) throw new Error('The virtual time is up.');
    if (next.event['TimerId'] !== undefined) fired.add(Number(next.event['TimerId']));
    news = [event(Number(next.event['EventType']), next.event)];
  }
}

async function answer(
  world: World,
  name: string,
  input: unknown,
  id: number,
  call: number,
  at: Date,
): Promise<HistoryEvent> {
  const activity = world.activities[name];
  if (!activity) throw new Error(`The orchestration called ${name}, which this test does not expect.`);
  try {
    return {
      EventType: 5,
      TaskScheduledId: id,
      Result: JSON.stringify((await activity(input, call, at)) ?? null),
    };
  } catch (error) {
    return {
      EventType: 6,
      TaskScheduledId: id,
      Reason: `Activity function '${name}' failed: ${error instanceof Error ? error.message : String(error)}`,
      Details: 'details',
    };
  }
}

/** Compound actions stand for what is in them. */
const flatten = (actions: readonly Action[]): readonly Action[] =>
  actions.flatMap(action => (action.compoundActions ? flatten(action.compoundActions) : [action]));

/** Tasks and timers are numbered in the order of their scheduling; waits for events are not. */
const numbered = (actions: readonly Action[]): readonly { readonly action: Action; readonly id: number }[] =>
  actions
    .filter(({ actionType }) => actionType === callActivity || actionType === createTimer)
    .map((action, id) => ({ action, id }));

/** A cancelled timer is the one change that an earlier action may undergo. */
const essence = (action: Action): object => ({ ...action, isCanceled: undefined });

function mustExtend(before: readonly Action[], after: readonly Action[]): void {
  before.forEach((action, index) => {
    const again = after[index];
    if (!again || !isDeepStrictEqual(essence(action), essence(again))) {
      throw new Error(
        `Not deterministic: action ${index} was ${JSON.stringify(action)} and is now ${JSON.stringify(again)}.`,
      );
    }
  });
}
