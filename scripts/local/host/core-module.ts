import Module from 'node:module';
import * as z from 'zod';
import { FunctionCallback, FunctionMetadata, HookCallback, ProgrammingModel } from './core-types.js';
import { type Log, toLogLevel } from './log.js';

/** A function as the app registered it. */
export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

export const hookNames = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const;
export type HookName = (typeof hookNames)[number];

/**
 * What the app tells the host through `@azure/functions-core`: a module that exists in no package, only in the
 * process that hosts the app. `@azure/functions` requires it and registers nothing when it is missing.
 */
export class CoreModule {
  readonly functions = new Map<string, RegisteredFunction>();
  programmingModel: ProgrammingModel | undefined;
  readonly #hooks = new Map<HookName, HookCallback[]>();
  #sealed = false;

  constructor(private readonly log: Log) {}

  /** After this a registration is an error: the triggers have been read. */
  seal(): void {
    this.#sealed = true;
  }

  hooks(name: HookName): readonly HookCallback[] {
    return this.#hooks.get(name) ?? [];
  }

  async runHooks(name: HookName, context: object): Promise<void> {
    for (const hook of this.hooks(name)) await hook(context);
  }

  registerFunction(metadata: unknown, callback: unknown): Disposable {
    const decoded = FunctionMetadata.parse(metadata);
    if (this.#sealed) {
      throw new Error(
        `Function "${decoded.name}" was registered after the app had started; it can't be served.`,
      );
    }
    if (this.functions.has(decoded.name)) {
      throw new Error(`Two functions of the app are named "${decoded.name}"; function names must be unique.`);
    }
    this.functions.set(decoded.name, { metadata: decoded, callback: FunctionCallback.parse(callback) });
    return new Disposable(() => {
      if (!this.#sealed) this.functions.delete(decoded.name);
    });
  }

  registerHook(name: unknown, callback: unknown): Disposable {
    const known = hookNames.find(hook => hook === name);
    if (!known) throw new RangeError(`Unrecognized hook "${String(name)}".`);
    const decoded = HookCallback.parse(callback);
    const hooks = this.#hooks.get(known) ?? [];
    hooks.push(decoded);
    this.#hooks.set(known, hooks);
    return new Disposable(() => hooks.splice(hooks.indexOf(decoded), 1));
  }

  /** The object that `require('@azure/functions-core')` answers. */
  toExports(): object {
    return {
      version: '3.11.0',
      hostVersion: '4.1040.0',
      Disposable,
      registerFunction: (metadata: unknown, callback: unknown) => this.registerFunction(metadata, callback),
      registerHook: (name: unknown, callback: unknown) => this.registerHook(name, callback),
      setProgrammingModel: (model: unknown) => {
        this.programmingModel = ProgrammingModel.parse(model);
      },
      getProgrammingModel: () => this.programmingModel,
      log: (level: unknown, category: unknown, message: unknown) => {
        this.log.write(
          toLogLevel(String(level)) ?? 'information',
          `Worker.${String(category)}`,
          String(message),
        );
      },
    };
  }

  /**
   * Answers `require('@azure/functions-core')` everywhere in this process. `Module._load` and not only
   * `Module.prototype.require` is where CommonJS files, `createRequire` in bundled ESM and ESM that imports
   * CommonJS all come together, on Node.js 20, 22 and 24.
   */
  install(): void {
    const exported = this.toExports();
    const load = Load.safeParse(Reflect.get(Module, '_load'));
    if (!load.success)
      throw new Error("This version of Node.js has no Module._load; the app can't be loaded.");
    Reflect.set(
      Module,
      '_load',
      function hostLoad(this: unknown, request: unknown, ...rest: unknown[]): unknown {
        return request === '@azure/functions-core' ? exported : load.data.call(this, request, ...rest);
      },
    );
  }
}

const Load = z.custom<(request: unknown, ...rest: unknown[]) => unknown>(
  value => typeof value === 'function',
);

class Disposable {
  readonly #dispose: () => unknown;
  constructor(dispose: () => unknown) {
    this.#dispose = dispose;
  }
  static from(...items: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const item of items) item.dispose();
    });
  }
  dispose(): void {
    this.#dispose();
  }
}
