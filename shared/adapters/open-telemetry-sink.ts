import { randomUUID } from 'node:crypto';
import {
  type Attributes,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { LogFields } from '../ports.js';
import type { FinishedStep, TelemetrySink } from './open-telemetry.js';
import { createInstruments } from './open-telemetry-instruments.js';
import { product } from './product.js';
import { quietMetricExporter, quietSpanExporter, type Told } from './quiet-exporters.js';

export interface Exporters {
  readonly spans: readonly SpanExporter[];
  readonly metrics: readonly PushMetricExporter[];
}

export interface SinkOptions extends Exporters {
  readonly serviceName: string;
  /** How often metrics are sent. */
  readonly metricsEveryMs: number;
  /** Told once when nothing can be sent, and again only after it could be. */
  readonly warn: Told['warn'];
  readonly now?: Told['now'];
}

/** Short, because an instance may be frozen or taken away at any moment after its last answer. */
const spansEveryMs = 1_000;
/** What waits for a collector that is away; the oldest stay, the newest are dropped. */
const spansAtMost = 4_096;
const exportTimeoutMs = 5_000;
const flushTimeoutMs = 2_000;

const kinds: Readonly<Record<FinishedStep['kind'], SpanKind>> = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
};

/** The SDK of OpenTelemetry behind the sink that steps and measured values go to. */
export function createSink(options: SinkOptions): TelemetrySink {
  const resource = resourceOf(options.serviceName);
  /** The step that is just being handed on: it has its ids already. */
  let next: Pick<FinishedStep, 'traceId' | 'spanId'> = { traceId: '', spanId: '' };
  const tracers = new BasicTracerProvider({
    resource,
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanProcessors: options.spans.map(
      exporter =>
        new BatchSpanProcessor(quietSpanExporter(exporter, options), {
          scheduledDelayMillis: spansEveryMs,
          maxQueueSize: spansAtMost,
          exportTimeoutMillis: exportTimeoutMs,
        }),
    ),
  });
  const readers = options.metrics.map(
    exporter =>
      new PeriodicExportingMetricReader({
        exporter: quietMetricExporter(exporter, options),
        exportIntervalMillis: options.metricsEveryMs,
        exportTimeoutMillis: Math.min(exportTimeoutMs, options.metricsEveryMs),
      }),
  );
  const meters = new MeterProvider({ resource, readers });
  const tracer = tracers.getTracer(product.productName, product.productVersion);
  const instruments = createInstruments(meters.getMeter(product.productName, product.productVersion));

  return {
    step: step => {
      next = step;
      const parent =
        step.parentSpanId === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId: step.traceId,
              spanId: step.parentSpanId,
              traceFlags: 1,
              isRemote: true,
            });
      const span = tracer.startSpan(
        step.name,
        { kind: kinds[step.kind], startTime: hrTime(step.from), attributes: step.fields },
        parent,
      );
      if (step.error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: step.error });
      span.end(hrTime(step.to));
    },
    count: (metric, by, fields) => instruments.count(metric, by, attributes(fields)),
    record: (metric, value, fields) => instruments.record(metric, value, attributes(fields)),
    flush: async () => {
      const flushed = Promise.allSettled([tracers.forceFlush(), meters.forceFlush()]);
      await Promise.race([
        flushed,
        new Promise(resolve => {
          setTimeout(resolve, flushTimeoutMs).unref();
        }),
      ]);
    },
  };
}

const resourceOf = (serviceName: string): Resource =>
  detectResources({ detectors: [envDetector] }).merge(
    resourceFromAttributes({
      'service.name': serviceName,
      'service.version': product.productVersion,
      'service.instance.id': randomUUID(),
    }),
  );

/** As a pair: a mere number would be taken for the time since the start of the process if it lies before that. */
const hrTime = (ms: number): HrTime => {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
};

const attributes = (fields: LogFields): Attributes => ({ ...fields });
