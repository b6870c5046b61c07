import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { TelemetryConfig } from '../config/telemetry.js';
import type { Exporters } from './open-telemetry-sink.js';

/** How long one attempt to send may take in all, with what the exporter tries again. */
const timeoutMillis = 4_000;

/**
 * OTLP over HTTP, as JSON. What else there is to say of it (headers, certificates, compression) these exporters read
 * from the environment themselves, as OpenTelemetry lays down.
 */
export const otlpExporters = ({
  tracesUrl,
  metricsUrl,
}: NonNullable<TelemetryConfig['otlp']>): Exporters => ({
  spans: tracesUrl === undefined ? [] : [new OTLPTraceExporter({ url: tracesUrl, timeoutMillis })],
  metrics: metricsUrl === undefined ? [] : [new OTLPMetricExporter({ url: metricsUrl, timeoutMillis })],
});
