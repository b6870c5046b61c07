import type { Failure } from '../domain/failure.js';
import type { LogFields, RequestStore, Telemetry } from '../ports.js';
import type { Activities, ActivityName } from '../workflow/contract.js';

interface Told {
  readonly requestId?: string;
  readonly kind?: string;
  readonly phase?: string;
  readonly failure?: Failure | undefined;
  readonly outcome?: { readonly state: string; readonly failure?: Failure | undefined };
  readonly situation?: { readonly kind: string } | undefined;
  readonly alive?: number;
  readonly delayMs?: number;
}

interface Known {
  readonly telemetry: Telemetry;
  readonly store: Pick<RequestStore, 'remembered'>;
}

/**
 * Runs an activity as one step of its request's trace; a round of the watch, which is of no request, as a trace of
 * its own, and measured.
 */
export async function activityStep<Name extends ActivityName>(
  { telemetry, store }: Known,
  name: Name,
  input: Activities[Name]['input'],
  run: () => Promise<Activities[Name]['output']>,
): Promise<Activities[Name]['output']> {
  if ('devOpsPool' in input) {
    const pool = input.devOpsPool;
    const begun = Date.now();
    if (input.memory) telemetry.record('agents.watch.gap', seconds(begun - input.memory.lookedAt), { pool });
    return telemetry.step(name, {}, async step => {
      step.note({ pool });
      const seen = await run();
      step.note(told(seen));
      telemetry.record('agents.watch.duration', seconds(Date.now() - begun), { pool });
      return seen;
    });
  }
  const { requestId, attempt, traceparent } = input;
  return telemetry.step(name, { traceparent, requestId, attempt }, async step => {
    step.note({ profile: store.remembered(requestId)?.request.profile, ...told(input) });
    const output = await run();
    step.note({ ...told(output), profile: store.remembered(requestId)?.request.profile });
    return output;
  });
}

const seconds = (ms: number): number => Math.max(0, ms) / 1_000;

/** What an input or an output says of how things went; nothing else of it, for it may hold what a container printed. */
function told({ kind, phase, failure, outcome, situation, alive, delayMs }: Told): LogFields {
  return {
    outcome: kind,
    state: outcome?.state,
    phase,
    code: failure?.code ?? outcome?.failure?.code,
    news: situation?.kind,
    alive,
    delayMs,
  };
}
