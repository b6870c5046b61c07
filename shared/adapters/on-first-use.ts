/** The methods of a port that answer at once instead of promising to. */
type Synchronous<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: never[]) => Promise<unknown> ? never : Name;
}[keyof Port];

/** Loads something once, when it is first asked for. A load that failed is tried again by whoever asks next. */
export function onFirstUse<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return async () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}

/**
 * A port whose adapter, and with it an SDK of many files, is loaded when the port is first called.
 *
 * @param meanwhile what its synchronous methods answer until then; they load nothing.
 */
export function portOnFirstUse<Port extends object>(
  load: () => Promise<Port>,
  meanwhile: Pick<Port, Synchronous<Port>>,
): Port {
  let adapter: Port | undefined;
  const use = onFirstUse(async () => {
    adapter = await load();
    return adapter;
  });
  const forward = (_target: object, name: string | symbol): unknown => {
    // A promise resolved with the port looks whether it is a promise, too.
    if (typeof name === 'symbol' || name === 'then') return undefined;
    if (name in meanwhile) return (...args: unknown[]) => call(adapter ?? meanwhile, name, args);
    return async (...args: unknown[]) => call(await use(), name, args);
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method that a port can have is forwarded
  return new Proxy({}, { get: forward }) as Port;
}

function call(port: object, name: string, args: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(port, name);
  if (typeof method !== 'function') throw new TypeError(`The adapter has no method ${name}.`);
  return Reflect.apply(method, port, args);
}
