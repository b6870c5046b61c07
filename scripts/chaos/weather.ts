import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { PartName } from '../local/stack/plan.js';
import type { Stack } from '../local/stack/stack.js';
import { call } from './call.js';
import type { Bite } from './evidence.js';

type StandIn = 'batch' | 'devops';
const standIns: readonly StandIn[] = ['batch', 'devops'];

/** A rule of a stand-in's `/_local/faults`, as far as it is used here. */
interface Rule {
  readonly call: string;
  readonly when?: 'before' | 'commit' | 'none';
  readonly status?: number;
  readonly probability: number;
  readonly delayMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Weather = Readonly<Record<StandIn, readonly Rule[]>>;

const busy = { status: 503 } as const;
const cut = { status: 0 } as const;
const later = { status: 429, headers: { 'retry-after': '1' } } as const;
const committed = { status: 500, when: 'commit' } as const;

/** What the services may be like, by name. Probabilities are such that what is tried again gets through. */
const weathers: Readonly<Record<string, Weather>> = {
  calm: { batch: [], devops: [] },
  overloaded: {
    batch: [{ call: '* /jobs*', probability: 0.2, ...busy }],
    devops: [{ call: '* *', probability: 0.15, ...busy }],
  },
  throttled: {
    batch: [{ call: '* /jobs*', probability: 0.2, ...later }],
    devops: [{ call: '* */_apis/*', probability: 0.2, ...later }],
  },
  'cut off': {
    batch: [{ call: '* *', probability: 0.15, ...cut }],
    devops: [{ call: '* *', probability: 0.1, ...cut }],
  },
  'answers lost': {
    batch: [
      { call: 'POST /jobs*', probability: 0.3, ...committed },
      { call: 'DELETE *', probability: 0.3, ...committed },
    ],
    devops: [
      { call: 'POST */events', probability: 0.3, ...committed },
      { call: 'DELETE */agents/:agentId', probability: 0.3, ...committed },
      { call: 'POST */agents', probability: 0.2, ...committed },
    ],
  },
  slow: {
    batch: [{ call: '* *', probability: 0.3, when: 'none', delayMs: 1_500 }],
    devops: [{ call: '* *', probability: 0.2, when: 'none', delayMs: 1_500 }],
  },
};

const Rules = z.array(z.looseObject({ call: z.string(), status: z.number(), bitten: z.number() }));
const Pool = z.looseObject({ nodes: z.array(z.looseObject({ id: z.string(), state: z.string() })) });

/** The faults in force at the stand-ins, which forget them when they are killed. */
export class WeatherMaker {
  #now: Weather = { batch: [], devops: [] };
  /** How often each kind of fault was met, by what the call got. */
  readonly bitten = new Map<string, number>();
  readonly bites: Bite[] = [];

  constructor(private readonly stack: Stack) {}

  /** @param roll in [0, 1). @returns the name of the weather. */
  async change(roll: number): Promise<string> {
    const names = Object.keys(weathers);
    const name = names[Math.floor(roll * names.length)] ?? 'calm';
    await this.#set(weathers[name] ?? this.#now);
    return name;
  }

  async clear(): Promise<void> {
    await this.#set({ batch: [], devops: [] });
  }

  /** Tells a stand-in that was started again what is in force. */
  async restore(part: PartName): Promise<void> {
    if (part === 'batch' || part === 'devops') await this.#put(part);
  }

  /** Writes down what has bitten before it is forgotten. */
  async note(part: PartName): Promise<void> {
    if (part === 'batch' || part === 'devops') await this.#note(part);
  }

  /** Takes a node away from under its tasks, as the cloud does with a Spot node. */
  async preempt(roll: number): Promise<void> {
    const url = `${this.stack.url('batch')}/_local/pools/batchLinux`;
    const set = async (id: string, state: string): Promise<void> => {
      await call('PUT', url, {}, { nodes: [{ id, state }] });
    };
    const { nodes } = Pool.parse((await call('GET', url)).json);
    const running = nodes.filter(({ state }) => state === 'running' || state === 'idle');
    const node = running[Math.floor(roll * running.length)];
    if (!node) return;
    await set(node.id, 'preempted');
    this.bitten.set('node preempted', (this.bitten.get('node preempted') ?? 0) + 1);
    await sleep(1_000);
    await set(node.id, 'idle');
  }

  async #set(weather: Weather): Promise<void> {
    for (const part of standIns) await this.#note(part);
    this.#now = weather;
    for (const part of standIns) await this.#put(part);
  }

  async #put(part: StandIn): Promise<void> {
    const { status } = await call('PUT', `${this.stack.url(part)}/_local/faults`, {}, this.#now[part]);
    if (status >= 300) throw new Error(`The ${part} did not take its faults (${status}).`);
  }

  async #note(part: StandIn): Promise<void> {
    const { json } = await call('GET', `${this.stack.url(part)}/_local/faults`);
    for (const { status, bitten, call: rule } of Rules.parse(json)) {
      if (bitten === 0) continue;
      const kind = `${part}: ${status === 0 ? 'connection reset' : status} on ${rule}`;
      this.bitten.set(kind, (this.bitten.get(kind) ?? 0) + bitten);
    }
  }
}
