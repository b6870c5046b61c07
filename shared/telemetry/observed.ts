import type {
  AgentRegistry,
  Compute,
  PipelineCallback,
  RequestQueue,
  RequestStore,
  Telemetry,
} from '../ports.js';
import { toldChanges } from './changes.js';
import { observedPort } from './observed-port.js';
import { steps } from './steps.js';

/** What the product asks of others. */
export interface Ports {
  readonly store: RequestStore;
  readonly queue: RequestQueue;
  readonly compute: Compute;
  readonly registry: AgentRegistry;
  readonly pipeline: PipelineCallback;
}

const named: Readonly<Record<string, string>> = steps;
const allBut =
  (...left: readonly string[]) =>
  (method: string): string | undefined =>
    left.includes(method) ? undefined : named[method];

/** The ports of the product, each call of which is counted and most of which are steps of a trace. */
export const observed = <P extends Ports>(ports: P, telemetry: Telemetry): P => ({
  ...ports,
  store: toldChanges(observedPort(ports.store, 'storage', telemetry), telemetry),
  // The step of a request's message is made where the message is, which carries it on.
  queue: observedPort(ports.queue, 'storage', telemetry, allBut('send')),
  compute: observedPort(ports.compute, 'batch', telemetry, allBut()),
  registry: observedPort(ports.registry, 'devops', telemetry, allBut()),
  pipeline: observedPort(ports.pipeline, 'callback', telemetry, method =>
    method === 'complete' ? steps.callback : undefined,
  ),
});
