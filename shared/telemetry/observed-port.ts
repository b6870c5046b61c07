import { TransientError } from '../domain/failure.js';
import type { Step, Telemetry } from '../ports.js';

export type Service = 'batch' | 'devops' | 'callback' | 'storage';

/**
 * A port whose calls are counted, and those that have a step's name are steps of the trace in which they are made.
 *
 * @param stepOf the step of a method; undefined: it is only counted.
 */
export function observedPort<Port extends object>(
  port: Port,
  service: Service,
  telemetry: Telemetry,
  stepOf: (method: string) => string | undefined = () => undefined,
): Port {
  const forward = (target: Port, name: string | symbol): unknown => {
    const method: unknown = Reflect.get(target, name);
    if (typeof name === 'symbol' || typeof method !== 'function') return method;
    const call = (args: readonly unknown[]): unknown => Reflect.apply(method, target, args);
    const stepName = stepOf(name);
    const watched = (result: Promise<unknown>, step?: Step): Promise<unknown> =>
      watch(telemetry, service, name, result, step);
    return (...args: unknown[]): unknown => {
      if (stepName !== undefined) {
        return telemetry.step(stepName, {}, async step => watched(Promise.resolve(call(args)), step));
      }
      const result = call(args);
      return result instanceof Promise ? watched(result) : result;
    };
  };
  return new Proxy(port, { get: forward });
}

async function watch(
  telemetry: Telemetry,
  service: Service,
  operation: string,
  result: Promise<unknown>,
  step: Step | undefined,
): Promise<unknown> {
  const count = (outcome: string): void => {
    telemetry.count('agents.calls', { service, operation, outcome });
    step?.note({ outcome });
  };
  try {
    const answer = await result;
    count(outcomeOf(answer));
    return answer;
  } catch (error) {
    count('failed');
    if (isThrottle(error)) telemetry.count('agents.throttles', { service });
    throw error;
  }
}

const outcomeOf = (answer: unknown): string =>
  typeof answer === 'object' && answer !== null && 'kind' in answer && typeof answer.kind === 'string'
    ? answer.kind
    : 'done';

/**
 * Whether a service refused a call for being called too often. Those of Azure DevOps are counted where it asks for a
 * pause, which it does with successes as well.
 */
const isThrottle = (error: unknown): boolean =>
  error instanceof TransientError &&
  (error.failure.code === 'BatchThrottled' ||
    (error.failure.code === 'StorageUnavailable' && /answered (?:429|503)\b/.test(error.message)));
