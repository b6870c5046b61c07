// The SDK ships its test drivers without types.
declare module 'durable-functions/lib/src/util/testingUtils.js' {
  import type { OrchestrationContext, OrchestrationHandler } from 'durable-functions';

  export function createOrchestrator(
    handler: OrchestrationHandler,
  ): (trigger: object, context: OrchestrationContext) => Promise<unknown>;
  export const DummyOrchestrationContext: new (
    functionName?: string,
    invocationId?: string,
    log?: (...args: readonly unknown[]) => void,
  ) => OrchestrationContext;
}
