export interface FakeCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** How a test makes any fake misbehave, and sees what was asked of it. */
export interface Knobs<Port> {
  /**
   * The next calls of a method fail.
   *
   * @param when `before`: without effect; `after`: the effect takes place and its answer is lost.
   */
  failNext(method: keyof Port & string, error: Error, times?: number, when?: 'before' | 'after'): void;
  /** Just before the next call of a method takes effect, something else happens: how a test makes a race. */
  beforeNext(method: keyof Port & string, action: () => unknown): void;
  /** Every call so far, oldest first. */
  readonly calls: readonly FakeCall[];
  callsOf(method: keyof Port & string): readonly FakeCall[];
}

interface Interruption {
  readonly method: string;
  readonly action: () => unknown;
}

interface Fault {
  readonly method: string;
  readonly error: Error;
  readonly when: 'before' | 'after';
  left: number;
}

/**
 * Adds the knobs to a fake whose methods are all asynchronous.
 *
 * @param own what the fake offers beside its port; not counted, and not asynchronous.
 */
export function withKnobs<Port extends object, Own extends object>(
  port: Port,
  own: Own,
): Port & Knobs<Port> & Own {
  const faults: Fault[] = [];
  const interruptions: Interruption[] = [];
  const calls: FakeCall[] = [];
  const knobs: Knobs<Port> = {
    failNext: (method, error, times = 1, when = 'before') => {
      faults.push({ method, error, when, left: times });
    },
    beforeNext: (method, action) => void interruptions.push({ method, action }),
    calls,
    callsOf: method => calls.filter(call => call.method === method),
  };

  const take = (method: string): Fault | undefined => {
    const fault = faults.find(each => each.method === method && each.left > 0);
    if (fault) fault.left -= 1;
    return fault;
  };

  return new Proxy(Object.assign(port, knobs, own), {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function' || typeof name !== 'string' || name in knobs || name in own) {
        return value;
      }
      return async (...args: readonly unknown[]): Promise<unknown> => {
        calls.push({ method: name, args });
        const interruption = interruptions.findIndex(({ method }) => method === name);
        // Taken out first: what happens in between may call this very method.
        if (interruption >= 0) await interruptions.splice(interruption, 1)[0]?.action();
        const fault = take(name);
        if (fault?.when === 'before') throw fault.error;
        const answer: unknown = await Reflect.apply(value, target, args);
        if (fault) throw fault.error;
        return answer;
      };
    },
  });
}
