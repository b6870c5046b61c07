import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { TransientError } from '../domain/failure.js';
import { readTraceparent } from '../domain/traceparent.js';
import type { LogFields, Step, StepOf, Telemetry } from '../ports.js';
import { kindOf, type StepKind } from '../telemetry/steps.js';

/** A step that is over, with everything that is told of it. */
export interface FinishedStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent at the beginning of a trace. */
  readonly parentSpanId: string | undefined;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** Where telemetry goes: the SDK, its processors and exporters. It never throws and never makes anybody wait. */
export interface TelemetrySink {
  step(step: FinishedStep): void;
  count(metric: string, by: number, fields: LogFields): void;
  record(metric: string, value: number, fields: LogFields): void;
  /** Sends what has gathered; resolves in any case, soon. */
  flush(): Promise<void>;
}

export interface OpenTelemetry {
  readonly telemetry: Telemetry;
  /** What is going on now: the fields that a line of the log has without saying so. */
  readonly current: () => LogFields;
  /** Opens the sink; called once, when there is time for it. Until then everything gathers here. */
  readonly open: () => Promise<void>;
  readonly flush: () => Promise<void>;
}

interface Current extends StepOf {
  readonly traceId: string;
  readonly traceparent: string;
}

/** What gathers until the sink is open, at most. */
const gatheredAtMost = 2_000;

/**
 * Steps, counts and measured values as OpenTelemetry knows them. It gives out the ids of steps itself and hands each
 * step on when it is over: so the SDK need not be there when the first request comes.
 *
 * @param openSink loads the SDK. If it fails nothing is ever told, and nothing else is different.
 */
export function createOpenTelemetry(openSink: () => Promise<TelemetrySink>): OpenTelemetry {
  const going = new AsyncLocalStorage<Current>();
  let sink: TelemetrySink | undefined;
  let gathered: ((to: TelemetrySink) => void)[] = [];

  const tell = (what: (to: TelemetrySink) => void): void => {
    if (sink) what(sink);
    else if (gathered.length < gatheredAtMost) gathered.push(what);
  };

  const begin = (name: string, of: StepOf): Beginning | undefined => {
    const around = going.getStore();
    const parent = readTraceparent(of.traceparent ?? around?.traceparent);
    const kind = kindOf(name);
    // A call that belongs to nothing would be a trace by itself, and nobody would look for it.
    if (parent === undefined && (kind === 'client' || kind === 'producer')) return undefined;
    const [, traceId = hex(16), parentSpanId, flags = '01'] = parent?.split('-') ?? [];
    return {
      name,
      kind,
      traceId,
      spanId: hex(8),
      parentSpanId,
      flags,
      requestId: of.requestId ?? around?.requestId,
      attempt: of.attempt ?? around?.attempt,
    };
  };

  const end = (step: Beginning, from: number, to: number, fields: LogFields, error?: unknown): void => {
    // Whoever began the trace has decided that it is not kept.
    if ((Number.parseInt(step.flags, 16) & 1) === 0) return;
    const { flags: _, requestId, attempt, ...rest } = step;
    const failed = error === undefined ? {} : { code: codeOf(error) };
    const told = defined({ requestId, attempt, ...fields, ...failed });
    const finished: FinishedStep = {
      ...rest,
      from,
      to: Math.max(from, to),
      fields: told,
      error: error === undefined ? undefined : describe(error),
    };
    tell(to_ => to_.step(finished));
  };

  const telemetry: Telemetry = {
    step: async (name, of, work) => {
      const step = begin(name, of);
      if (!step) return work({ traceparent: undefined, note: () => {} });
      const { traceId, spanId, flags } = step;
      const traceparent = `00-${traceId}-${spanId}-${flags}`;
      const fields: Record<string, LogFields[string]> = {};
      const note: Step['note'] = more => void Object.assign(fields, defined(more));
      const from = Date.now();
      // The clock may be set meanwhile, and no step must seem to go backwards for that.
      const begun = performance.now();
      const finish = (error?: unknown): void =>
        end(step, from, from + performance.now() - begun, fields, error);
      return going.run(
        { traceId, traceparent, requestId: step.requestId, attempt: step.attempt },
        async () => {
          try {
            const result = await work({ traceparent, note });
            finish();
            return result;
          } catch (error) {
            finish(error);
            throw error;
          }
        },
      );
    },
    past: (name, of, from, to, fields = {}) => {
      const step = begin(name, of);
      if (step) end(step, from.getTime(), to.getTime(), fields);
    },
    count: (metric, fields = {}, by = 1) => tell(to => to.count(metric, by, fields)),
    record: (metric, value, fields = {}) => tell(to => to.record(metric, value, fields)),
  };

  return {
    telemetry,
    current: () => {
      const { traceId, requestId, attempt } = going.getStore() ?? {};
      return { requestId, attempt, traceId };
    },
    open: async () => {
      const opened = await openSink();
      sink = opened;
      for (const what of gathered) what(opened);
      gathered = [];
    },
    flush: async () => sink?.flush(),
  };
}

interface Beginning {
  readonly name: string;
  readonly kind: StepKind;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly flags: string;
  readonly requestId: string | undefined;
  readonly attempt: number | undefined;
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

const defined = (fields: LogFields): FinishedStep['fields'] => {
  const entries = Object.entries(fields).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
};

const codeOf = (error: unknown): string =>
  error instanceof TransientError ? error.failure.code : error instanceof Error ? error.name : 'unknown';

/** Only sentences of our own: the error of a library may hold the request that failed, and a token with it. */
const describe = (error: unknown): string =>
  error instanceof TransientError ? error.failure.message : codeOf(error);
