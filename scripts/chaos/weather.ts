import * as z from 'zod';
import type { PartName } from '../local/stack/plan.js';
import type { Stack } from '../local/stack/stack.js';
import { call } from './call.js';
import type { Bite } from './evidence.js';
import { type FaultyPart, faultyParts, type Weather, weathers } from './weathers.js';
import { batchPool } from './world.js';

const Bites = z.array(z.looseObject({ n: z.number(), at: z.string(), call: z.string(), rule: z.string() }));
const TaskBites = z.array(
  z.looseObject({ n: z.number(), at: z.string(), does: z.string(), task: z.string() }),
);
const Preempted = z.looseObject({ nodes: z.array(z.string()) });

/** The faults in force, which a part forgets when it is killed, and the log of what they did. */
export class WeatherMaker {
  readonly bites: Bite[] = [];
  preempted = 0;
  #now: Weather = {};
  /** The number of the last bite that was read, by log. */
  readonly #seen = new Map<string, number>();

  constructor(private readonly stack: Stack) {}

  /** @param roll in [0, 1). @returns the name of the weather. */
  async change(roll: number): Promise<string> {
    const names = Object.keys(weathers);
    const name = names[Math.floor(roll * names.length)] ?? 'calm';
    await this.#set(weathers[name] ?? {});
    return name;
  }

  async clear(): Promise<void> {
    await this.#set({});
  }

  /** Tells a part that was started again what is in force. */
  async restore(part: PartName): Promise<void> {
    if (!isFaulty(part)) return;
    for (const log of this.#seen.keys()) if (log.startsWith(`${part}/`)) this.#seen.delete(log);
    await this.#put(part);
  }

  /** Writes down what has bitten, before it is forgotten. */
  async note(part: PartName): Promise<void> {
    if (!isFaulty(part)) return;
    for (const { at, call: met, rule } of await this.#news(part, 'faults', Bites)) {
      this.bites.push({ part, at, call: met, rule });
    }
    if (part !== 'batch') return;
    for (const { at, task, does } of await this.#news(part, 'task-faults', TaskBites)) {
      this.bites.push({ part: 'task', at, call: task, rule: does });
    }
  }

  /** Takes a node away from under its tasks, as the cloud does with a Spot node. */
  async preempt(): Promise<void> {
    const { json } = await call(
      'POST',
      `${this.stack.url('batch')}/_local/pools/${batchPool}/nodes`,
      {},
      { state: 'preempted', count: 1, busy: true },
    );
    this.preempted += Preempted.parse(json).nodes.length;
  }

  async #set(weather: Weather): Promise<void> {
    this.#now = weather;
    for (const part of faultyParts) {
      await this.note(part);
      await this.#put(part);
    }
  }

  /** The bites since the last look. */
  async #news<Entry extends { readonly n: number }>(
    part: FaultyPart,
    what: 'faults' | 'task-faults',
    schema: z.ZodType<readonly Entry[]>,
  ): Promise<readonly Entry[]> {
    const log = `${part}/${what}`;
    const url = `${this.stack.url(part)}/_local/${what}/bites?after=${this.#seen.get(log) ?? 0}`;
    const entries = schema.parse((await call('GET', url)).json);
    const last = entries.at(-1);
    if (last) this.#seen.set(log, last.n);
    return entries;
  }

  async #put(part: FaultyPart): Promise<void> {
    await this.#give(part, 'faults', this.#now[part] ?? []);
    if (part === 'batch') await this.#give(part, 'task-faults', this.#now.tasks ?? []);
  }

  async #give(part: FaultyPart, what: 'faults' | 'task-faults', rules: readonly object[]): Promise<void> {
    const { status, json } = await call('PUT', `${this.stack.url(part)}/_local/${what}`, {}, rules);
    if (status >= 300) throw new Error(`The ${part} did not take its ${what}: ${JSON.stringify(json)}`);
  }
}

const isFaulty = (part: PartName): part is FaultyPart => faultyParts.some(each => each === part);
