import type { Config } from '../config.js';
import type { AdmissionGate } from '../limits/admission-gate.js';
import type {
  AgentRegistry,
  Clock,
  Compute,
  DrainableQueue,
  Log,
  Orchestrations,
  PipelineCallback,
  RequestQueue,
  RequestStore,
  Telemetry,
  TokenSeal,
} from '../ports.js';

/** What activities are built from. */
export interface Dependencies {
  readonly config: Config;
  readonly store: RequestStore;
  readonly queue: RequestQueue;
  readonly deadLetters: DrainableQueue;
  readonly poison: DrainableQueue;
  readonly compute: Compute;
  readonly registry: AgentRegistry;
  readonly pipeline: PipelineCallback;
  readonly seal: TokenSeal;
  readonly admission: AdmissionGate;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** In [0, 1); activities may be random, orchestrations may not. */
  readonly random: () => number;
}

/** For activities that start or tell orchestrations: the durable client comes with each invocation. */
export interface WithOrchestrations extends Dependencies {
  readonly orchestrations: Orchestrations;
}
