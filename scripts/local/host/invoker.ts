import { randomUUID } from 'node:crypto';
import type { CoreModule, RegisteredFunction } from './core-module.js';
import {
  type CoreInvocationContext,
  type FunctionCallback,
  InvocationResponse,
  type RetryContext,
  type TypedData,
} from './core-types.js';
import { errorText, type Log, type LogLevel, toLogLevel } from './log.js';

export interface InvocationCall {
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>;
  readonly retryContext?: RetryContext;
  readonly invocationId?: string;
  /** Level of the line that tells of a success; orchestrators run often and say little. */
  readonly successLevel?: LogLevel;
  /** False: the caller tells of a failure itself. What an orchestrator throws holds its whole state. */
  readonly logFailure?: boolean;
}

export interface InvocationOutcome {
  readonly response: InvocationResponse;
  /** What the handler returned, before it became RPC data. */
  readonly result: unknown;
}

/** Runs functions of the app, one invocation at a time per call and without a limit of its own. */
export class Invoker {
  #running = 0;
  #idle: (() => void)[] = [];
  readonly #appHookData: Record<string, unknown> = {};

  constructor(
    private readonly core: CoreModule,
    private readonly log: Log,
  ) {}

  /** Context of the hooks that belong to the app and not to one invocation. */
  appHookContext(): object {
    return { hookData: this.#appHookData, appHookData: this.#appHookData };
  }

  /**
   * @throws what the handler threw, after the hooks ran. The failure is logged here, with its stack.
   */
  async invoke(target: RegisteredFunction, call: InvocationCall): Promise<InvocationOutcome> {
    const { name } = target.metadata;
    const invocationId = call.invocationId ?? randomUUID();
    const started = performance.now();
    this.#running += 1;
    try {
      const outcome = await this.#run(target, call, invocationId);
      this.#tell(call.successLevel ?? 'information', name, invocationId, 'Succeeded', started);
      return outcome;
    } catch (error) {
      if (call.logFailure !== false) {
        this.#tell('error', name, invocationId, 'Failed', started);
        this.log.write('error', `Function.${name}`, errorText(error), invocationId);
      }
      throw error;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /** Resolves when nothing runs, or after `ms`. */
  async idle(ms: number): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #tell(level: LogLevel, name: string, invocationId: string, how: string, started: number): void {
    const category = `Function.${name}`;
    if (!this.log.enabled(level, category)) return;
    const ms = Math.round(performance.now() - started);
    this.log.write(level, category, `Executed 'Functions.${name}' (${how}, Duration=${ms}ms)`, invocationId);
  }

  async #run(
    target: RegisteredFunction,
    call: InvocationCall,
    invocationId: string,
  ): Promise<InvocationOutcome> {
    const { metadata } = target;
    const model = this.core.programmingModel;
    if (!model) throw new Error('The app registered functions but no programming model.');
    const logHooks = this.core.hooks('log');
    let context: object | undefined;
    const coreContext: CoreInvocationContext = {
      invocationId,
      metadata,
      request: {
        invocationId,
        functionId: metadata.name,
        inputData: call.inputData,
        ...(call.triggerMetadata && { triggerMetadata: call.triggerMetadata }),
        ...(call.retryContext && { retryContext: call.retryContext }),
      },
      log: (level, category, message) => {
        const entry = { hookData: {}, level, message, category, invocationContext: context };
        for (const hook of logHooks) hook(entry);
        const suffix = category === 'user' ? '.User' : '';
        this.log.write(
          toLogLevel(entry.level) ?? 'information',
          `Function.${metadata.name}${suffix}`,
          entry.message,
          invocationId,
        );
      },
    };
    const invocation = model.getInvocationModel(coreContext);
    const prepared = await invocation.getArguments();
    context = prepared.context;

    const hookData = {};
    const before = {
      hookData,
      appHookData: this.#appHookData,
      invocationContext: context,
      inputs: prepared.inputs,
      functionCallback: target.callback as FunctionCallback,
    };
    coreContext.state = 'preInvocationHooks';
    await this.core.runHooks('preInvocation', before);
    const after: { result: unknown; error: unknown } & Record<string, unknown> = {
      hookData,
      appHookData: this.#appHookData,
      invocationContext: context,
      inputs: before.inputs,
      result: null,
      error: null,
    };
    coreContext.state = 'invocation';
    try {
      after.result = await invocation.invokeFunction(context, before.inputs, before.functionCallback);
    } catch (error) {
      after.error = error;
    }
    coreContext.state = 'postInvocationHooks';
    await this.core.runHooks('postInvocation', after);
    // The app may throw anything, and what it throws goes on as it is: the hooks decide on it first.
    // oxlint-disable-next-line typescript/only-throw-error -- rethrown for the app
    if (after.error !== null && after.error !== undefined) throw after.error;
    const response = InvocationResponse.parse(await invocation.getResponse(context, after.result));
    return { response, result: after.result };
  }
}
