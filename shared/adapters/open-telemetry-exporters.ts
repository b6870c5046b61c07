import type { TokenCredential } from '@azure/identity';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TelemetryConfig } from '../config.js';
import type { TelemetrySink } from './open-telemetry.js';
import { createSink } from './open-telemetry-sink.js';

/** How long one attempt to send may take in all, with what the exporter tries again. */
const timeoutMillis = 4_000;

/**
 * Opens the way to whatever the settings name. What else there is to say of OTLP (headers, certificates, compression)
 * its exporters read from the environment themselves, as OpenTelemetry lays down.
 *
 * @param credential for Azure Monitor, where it takes no keys.
 */
export async function openTelemetrySink(
  { otlp, azureMonitor, serviceName, metricsEveryMs }: TelemetryConfig,
  credential: TokenCredential | undefined,
  warn: (message: string) => void,
): Promise<TelemetrySink> {
  const spans: SpanExporter[] = [];
  const metrics: PushMetricExporter[] = [];
  if (otlp?.tracesUrl !== undefined) {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    spans.push(new OTLPTraceExporter({ url: otlp.tracesUrl, timeoutMillis }));
  }
  if (otlp?.metricsUrl !== undefined) {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-http');
    metrics.push(new OTLPMetricExporter({ url: otlp.metricsUrl, timeoutMillis }));
  }
  if (azureMonitor !== undefined) {
    const { AzureMonitorMetricExporter, AzureMonitorTraceExporter } = await import(
      '@azure/monitor-opentelemetry-exporter'
    );
    const options = {
      connectionString: azureMonitor.connectionString,
      // A disk that fills up with what nobody takes would be worse than a gap.
      disableOfflineStorage: true,
      ...(credential ? { credential } : {}),
    };
    spans.push(new AzureMonitorTraceExporter(options));
    metrics.push(new AzureMonitorMetricExporter(options));
  }
  return createSink({ serviceName, spans, metrics, metricsEveryMs, warn });
}
