import type { PartName } from '../local/stack/plan.js';
import { type Random, seeded } from './random.js';

/** How a request comes in, and what happens to it on the way. */
export const requestKinds = [
  /** A pipeline that waits for its agent (callback mode) and runs a job on it. */
  'pipeline',
  /** The same, and its call is delivered once more. */
  'pipelineRedelivered',
  /** The same, and somebody cancels the run while it waits. */
  'pipelineCancelled',
  /** The same under an id of its own; it is run again when it is over, so the request begins its next generation. */
  'pipelineRerun',
  /** A pipeline with the article's route and body: it does not wait, its job is queued at once. */
  'article',
  /** `POST /api/agents` with an id of its own; no job comes. */
  'http',
  /** The same call three times, two of them at the same moment. */
  'httpRepeated',
  /** `POST /api/agents` without an id. */
  'httpWithoutId',
  /** A `POST`, and a `DELETE` a little later. */
  'httpDeleted',
  /** A queue message with an id and a reply queue. */
  'message',
  'messageWithoutId',
  /** The same queue message twice. */
  'messageTwice',
  /** A queue message that can't be understood. */
  'messageGarbled',
] as const;
export type RequestKind = (typeof requestKinds)[number];

export interface RequestStep {
  readonly type: 'request';
  /** From 1; the request's tag is made of it. */
  readonly number: number;
  readonly kind: RequestKind;
  /** How long its job takes, in milliseconds. */
  readonly jobMs: number;
  /** When the second act of its kind follows (cancel, redeliver, repeat), in milliseconds. */
  readonly thenMs: number;
}

export interface KillStep {
  readonly type: 'kill';
  readonly part: PartName;
  /** How long the part stays dead, in milliseconds. */
  readonly downMs: number;
  /** How long all parts have to have run before, in milliseconds. */
  readonly afterMs: number;
}

/** Another set of faults takes the place of the one in force. */
export interface WeatherStep {
  readonly type: 'weather';
  /** Which one; whoever makes the weather knows the names. */
  readonly roll: number;
}

/** A node is taken away from under its tasks. */
export interface PreemptStep {
  readonly type: 'preempt';
}

/** The whole Durable state is deleted. */
export interface ForgetStep {
  readonly type: 'forget';
}

export type Step = RequestStep | KillStep | WeatherStep | PreemptStep | ForgetStep;

export interface ScheduleOptions {
  readonly seed: number;
  readonly requests: number;
  readonly kills: number;
  /** How often the whole Durable state is deleted. */
  readonly forgets: number;
  /** False: nothing but requests and kills. */
  readonly faults: boolean;
}

const kindWeights: Readonly<Record<RequestKind, number>> = {
  pipeline: 26,
  pipelineRedelivered: 6,
  pipelineCancelled: 6,
  pipelineRerun: 4,
  article: 9,
  http: 9,
  httpRepeated: 6,
  httpWithoutId: 5,
  httpDeleted: 8,
  message: 7,
  messageWithoutId: 5,
  messageTwice: 5,
  messageGarbled: 4,
};

const partWeights: Readonly<Record<PartName, number>> = { host: 58, batch: 14, devops: 14, storage: 14 };

/** Requests between two changes of the faults in force. */
const requestsPerWeather = 8;
const requestsPerPreemption = 25;

/**
 * What happens, in which order: all of it, and nothing of when. A pure function of its options, so that a seed stands
 * for a run; how far the product has come at each step is up to the machine.
 */
export function makeSchedule({ seed, requests, kills, forgets, faults }: ScheduleOptions): readonly Step[] {
  const random = seeded(seed);
  const kinds = spread(random, requests);
  const killsAfter = Array.from({ length: kills }, () => random.between(1, requests)).toSorted(
    (one, other) => one - other,
  );
  const steps: Step[] = faults ? [{ type: 'weather', roll: random.next() }] : [];
  for (const [index, kind] of kinds.entries()) {
    const number = index + 1;
    steps.push(requestStep(random, number, kind));
    if (faults && number % requestsPerWeather === 0) steps.push({ type: 'weather', roll: random.next() });
    if (faults && number % requestsPerPreemption === 0) steps.push({ type: 'preempt' });
    for (const _ of killsAfter.filter(after => after === number)) steps.push(killStep(random));
    // Evenly, and without asking chance: a schedule stays what it was, and has these in it.
    if (Math.floor((number * forgets) / requests) > Math.floor((index * forgets) / requests))
      steps.push({ type: 'forget' });
  }
  return steps;
}

/** Every kind as often as its weight says, each at least once where there is room, in any order. */
function spread(random: Random, requests: number): RequestKind[] {
  const some = random.shuffled(requestKinds).slice(0, requests);
  const rest = Array.from({ length: requests - some.length }, () => random.weighted(kindWeights));
  return random.shuffled([...some, ...rest]);
}

function requestStep(random: Random, number: number, kind: RequestKind): RequestStep {
  return {
    type: 'request',
    number,
    kind,
    jobMs: random.between(0, 1_500),
    thenMs: random.between(50, 5_000),
  };
}

function killStep(random: Random): KillStep {
  const part = random.weighted(partWeights);
  return { type: 'kill', part, downMs: random.between(0, 1_200), afterMs: random.between(0, 2_500) };
}
