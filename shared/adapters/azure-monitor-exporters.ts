import type { HttpClient } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { AzureMonitorMetricExporter, AzureMonitorTraceExporter } from '@azure/monitor-opentelemetry-exporter';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Exporters } from './open-telemetry-sink.js';

/**
 * @param credential where the resource takes no keys.
 * @param httpClient in place of the real one, for tests: this exporter speaks https only.
 */
export function azureMonitorExporters(
  connectionString: string,
  credential: TokenCredential | undefined,
  httpClient?: HttpClient,
): Exporters {
  const options = {
    connectionString,
    // A disk that fills up with what nobody takes would be worse than a gap.
    disableOfflineStorage: true,
    ...(credential ? { credential } : {}),
    ...(httpClient ? { httpClient } : {}),
  };
  return {
    spans: [withNames(new AzureMonitorTraceExporter(options))],
    metrics: [new AzureMonitorMetricExporter(options)],
  };
}

/** Of a step that takes a message it would tell everything but the name, which it looks for in this attribute. */
const withNames = (exporter: SpanExporter): SpanExporter => ({
  export: (spans, done) => exporter.export(spans.map(named), done),
  shutdown: async () => exporter.shutdown(),
  forceFlush: async () => exporter.forceFlush?.(),
});

function named(span: ReadableSpan): ReadableSpan {
  if (span.kind !== SpanKind.CONSUMER) return span;
  const attributes = { value: { ...span.attributes, 'ai.operation.name': span.name } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same span, seen through one other attribute
  return Object.create(span, { attributes }) as ReadableSpan;
}
