import { Recent } from './recent.js';
import { commonPresets, type FaultRule, glob, type Presets, readRules } from './rule.js';
import { Trigger } from './trigger.js';

/** A call as rules look at it. */
export interface Call {
  /** `METHOD route` */
  readonly name: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly client: string;
  readonly params: Readonly<Record<string, string>>;
  /** The request's body, once it has been read. */
  readonly content?: string;
}

/** One fault that was done, for whoever must explain what came of it. */
export interface Bite {
  readonly n: number;
  readonly at: string;
  readonly call: string;
  readonly url: string;
  readonly client: string;
  /** Name of the rule. */
  readonly rule: string;
  readonly when: FaultRule['when'];
  /** What was answered instead; 0: the connection was broken; absent: nothing, or the call's own answer. */
  readonly status?: number;
  /** What the call itself came to; absent when it was not let through, or has not ended yet. */
  realStatus?: number;
  /** Whether the call was carried out with success, whatever the client was told. */
  tookEffect: boolean;
}

export interface Fault {
  readonly rule: FaultRule;
  readonly bite: Bite;
  /** The answer's body as text, and its type; undefined: none. */
  readonly answer: { readonly text: string; readonly type?: string };
}

interface LiveRule {
  readonly rule: FaultRule;
  readonly name: string;
  readonly call: RegExp;
  readonly url: RegExp | undefined;
  readonly content: RegExp | undefined;
  readonly trigger: Trigger;
}

/** Any stand-in's rules, and the log of what they did. */
export class Faults {
  readonly presets: Presets;
  readonly #bites = new Recent<Omit<Bite, 'n'>>();
  #rules: LiveRule[] = [];
  #round = 0;

  constructor(
    presets: Presets,
    readonly seed: number,
  ) {
    this.presets = { ...commonPresets, ...presets };
  }

  /** Replaces the rules. @throws {z.ZodError} and leaves them as they are. */
  replace(given: unknown): void {
    const rules = readRules(given, this.presets);
    // The same rules put again must not repeat the same chances.
    this.#round += 1;
    this.#rules = rules.map((rule, index) => ({
      rule,
      name: rule.name ?? rule.preset ?? rule.call,
      call: glob(rule.call),
      url: rule.url === undefined ? undefined : new RegExp(rule.url),
      content: rule.content === undefined ? undefined : new RegExp(rule.content),
      trigger: new Trigger(rule, this.seed, `${this.#round}/${index}`),
    }));
  }

  /** The rules in force, with how many calls each has seen and bitten. */
  list(): object[] {
    return this.#rules.map(({ rule, trigger: { seen, bitten } }) => ({ ...rule, seen, bitten }));
  }

  bites(after: number): readonly Bite[] {
    return this.#bites.after(after);
  }

  get needsContent(): boolean {
    return this.#rules.some(({ content }) => content !== undefined);
  }

  /**
   * The fault to be done to a call, if any.
   *
   * @param by `arrival`: rules that do not ask for the body, which has not been read then; `content`: those that do
   */
  decide(call: Call, by: 'arrival' | 'content'): Fault | undefined {
    for (const live of this.#rules) {
      const { rule } = live;
      if ((live.content === undefined) !== (by === 'arrival')) continue;
      if (!live.call.test(call.name) || live.url?.test(call.url) === false) continue;
      if (rule.client !== undefined && !call.client.includes(rule.client)) continue;
      if (live.content?.test(call.content ?? '') === false) continue;
      const key = rule.each === 'url' ? call.url : (call.params[rule.each ?? ''] ?? '');
      if (!live.trigger.bites(key, Date.now())) continue;
      return { rule, bite: this.#log(live, call), answer: this.#answer(rule, call.name) };
    }
    return undefined;
  }

  #log({ rule, name }: LiveRule, call: Call): Bite {
    return this.#bites.add({
      at: new Date().toISOString(),
      call: call.name,
      url: call.url,
      client: call.client,
      rule: name,
      when: rule.when,
      ...(rule.when !== 'none' && !rule.hang && { status: rule.status }),
      tookEffect: false,
    });
  }

  #answer(rule: FaultRule, call: string): Fault['answer'] {
    const preset = rule.preset === undefined ? undefined : this.presets[rule.preset];
    const body = rule.body ?? preset?.body?.(call);
    if (body === undefined) return { text: '' };
    return typeof body === 'string'
      ? { text: body, type: 'text/plain; charset=utf-8' }
      : { text: JSON.stringify(body), type: 'application/json' };
  }
}

/** Notes what a call itself came to, whatever the client is told. */
export function noteOutcome(bite: Bite, status: number): void {
  bite.realStatus = status;
  bite.tookEffect = status < 400;
}
