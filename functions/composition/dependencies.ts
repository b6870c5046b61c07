import type { InvocationContext } from '@azure/functions';
import { getClient } from 'durable-functions';
import type { Dependencies, WithOrchestrations } from '../../shared/activities/dependencies.js';
import { durableOrchestrations } from '../../shared/adapters/durable-orchestrations.js';
import { createTokenSeal } from '../../shared/adapters/token-seal.js';
import type { IntakeDependencies } from '../../shared/api/ask-for-agent.js';
import { createAdmissionGate } from '../../shared/limits/admission-gate.js';
import { createBacklogGate } from '../../shared/limits/backlog-gate.js';
import { createLiveListings } from '../../shared/limits/live-listings.js';
import { lifecycleName, situationEvent, wakeEvent, watchName } from '../../shared/workflow/contract.js';
import { clock, deadLetters, poison, ports } from './ports.js';
import { config } from './settings.js';
import { logOf, telemetry } from './telemetry.js';

/** Both limits count the same rows; they are exact within one process only because there is one of each in it. */
const limits = { config, clock, listings: createLiveListings({ store: ports.store, clock }) };

/** What every invocation is given, made once a process. */
export const shared: Omit<Dependencies & IntakeDependencies, 'log'> = {
  ...ports,
  config,
  deadLetters,
  poison,
  seal: createTokenSeal({ keys: config.callbackTokenKeys }),
  clock,
  telemetry,
  admission: createAdmissionGate(limits),
  backlog: createBacklogGate(limits),
  random: Math.random,
};

/** For functions that neither start nor tell orchestrations. */
export const intakeOf = (context: InvocationContext): Dependencies & IntakeDependencies => ({
  ...shared,
  log: logOf(context),
});

/** For functions with a durable client among their inputs. */
export const dependenciesOf = (context: InvocationContext): WithOrchestrations => ({
  ...intakeOf(context),
  orchestrations: durableOrchestrations(getClient(context), {
    lifecycle: lifecycleName,
    watch: watchName,
    event: situationEvent,
    wake: wakeEvent,
  }),
});
