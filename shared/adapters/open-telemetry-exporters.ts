import type { TokenCredential } from '@azure/identity';
import type { TelemetryConfig } from '../config/telemetry.js';
import type { TelemetrySink } from './open-telemetry.js';
import { createSink, type Exporters } from './open-telemetry-sink.js';

/**
 * Opens the way to whatever the settings name, and loads no more than that takes. Through files of our own: the
 * names of a CommonJS package that is itself imported late are lost in the bundle.
 *
 * @param credential for Azure Monitor, where it takes no keys.
 */
export async function openTelemetrySink(
  { otlp, azureMonitor, serviceName, metricsEveryMs }: TelemetryConfig,
  credential: TokenCredential | undefined,
  warn: (message: string) => void,
): Promise<TelemetrySink> {
  const exporters: Exporters[] = [];
  if (otlp) {
    const { otlpExporters } = await import('./otlp-exporters.js');
    exporters.push(otlpExporters(otlp));
  }
  if (azureMonitor) {
    const { azureMonitorExporters } = await import('./azure-monitor-exporters.js');
    exporters.push(azureMonitorExporters(azureMonitor.connectionString, credential));
  }
  return createSink({
    serviceName,
    metricsEveryMs,
    warn,
    spans: exporters.flatMap(({ spans }) => spans),
    metrics: exporters.flatMap(({ metrics }) => metrics),
  });
}
