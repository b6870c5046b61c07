import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { PartName } from '../local/stack/plan.js';
import type { Stack } from '../local/stack/stack.js';
import { call, insist } from './call.js';
import type { Bite } from './evidence.js';
import { type FaultyPart, faultyParts, type Weather, weathers } from './weathers.js';

const Bites = z.array(z.looseObject({ n: z.number(), at: z.string(), call: z.string(), rule: z.string() }));
const Pool = z.looseObject({ nodes: z.array(z.looseObject({ id: z.string(), state: z.string() })) });

/** How long a preempted node is away. */
const preemptedMs = 1_000;

/** The faults in force, which a part forgets when it is killed, and the log of what they did. */
export class WeatherMaker {
  readonly bites: Bite[] = [];
  preempted = 0;
  #now: Weather = {};
  readonly #seen = new Map<FaultyPart, number>();

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
    this.#seen.set(part, 0);
    await this.#put(part);
  }

  /** Writes down what has bitten, before it is forgotten. */
  async note(part: PartName): Promise<void> {
    if (!isFaulty(part)) return;
    const { json } = await call(
      'GET',
      `${this.stack.url(part)}/_local/faults/bites?after=${this.#seen.get(part) ?? 0}`,
    );
    for (const { n, at, call: met, rule } of Bites.parse(json)) {
      this.#seen.set(part, n);
      this.bites.push({ part, at, call: met, rule });
    }
  }

  /** Takes a node away from under its tasks, as the cloud does with a Spot node. */
  async preempt(roll: number): Promise<void> {
    const url = `${this.stack.url('batch')}/_local/pools/batchLinux`;
    const { nodes } = Pool.parse((await call('GET', url)).json);
    const there = nodes.filter(({ state }) => state === 'running' || state === 'idle');
    const node = there[Math.floor(roll * there.length)];
    if (!node) return;
    this.preempted += 1;
    await call('PUT', url, {}, { nodes: [{ id: node.id, state: 'preempted' }] });
    await sleep(preemptedMs);
    await call('PUT', url, {}, { nodes: [{ id: node.id, state: 'idle' }] });
  }

  async #set(weather: Weather): Promise<void> {
    this.#now = weather;
    for (const part of faultyParts) {
      await this.note(part);
      await this.#put(part);
    }
  }

  async #put(part: FaultyPart): Promise<void> {
    await insist(`The faults of the ${part}`, async () => {
      const { status, json } = await call(
        'PUT',
        `${this.stack.url(part)}/_local/faults`,
        {},
        this.#now[part] ?? [],
      );
      if (status >= 300) throw new Error(`The ${part} did not take them: ${JSON.stringify(json)}`);
      return true;
    });
  }
}

const isFaulty = (part: PartName): part is FaultyPart => faultyParts.some(each => each === part);
