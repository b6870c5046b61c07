import * as z from 'zod';
import type { Env, Reader } from './reader.js';

/** Where traces and metrics go. */
export interface TelemetryConfig {
  /** By OTLP over HTTP, to these whole addresses. */
  readonly otlp:
    | { readonly tracesUrl: string | undefined; readonly metricsUrl: string | undefined }
    | undefined;
  readonly azureMonitor:
    | {
        readonly connectionString: string;
        /** Sign in with the app's identity; of several, the one with this client id. */
        readonly identity: { readonly clientId: string | undefined } | undefined;
      }
    | undefined;
  readonly serviceName: string;
  readonly metricsEveryMs: number;
}

/** http, too: a collector stands beside the app in its private network, and what it is sent holds no secret. */
const collectorUrl = z.string().refine(text => {
  try {
    const { protocol, username, password, hash } = new URL(text);
    return /^https?:$/.test(protocol) && !username && !password && !hash;
  } catch {
    return false;
  }
}, 'must be an http or https URL without user name and fragment');

const otlpHeaders = z
  .string()
  .regex(/^\s*[^=,\s]+=[^,]*(?:,\s*[^=,\s]+=[^,]*)*$/, 'must be name=value pairs, separated by commas');

const everyMs = 'must be a whole number of milliseconds from 1000 to 3600000';
const interval = z.coerce.number(everyMs).int(everyMs).min(1_000, everyMs).max(3_600_000, everyMs);

/** As OpenTelemetry and Application Insights name it; so whoever has set these for others has set them for us. */
export function readTelemetry(env: Env, read: Reader): TelemetryConfig | undefined {
  const base = read.optional('OTEL_EXPORTER_OTLP_ENDPOINT', collectorUrl);
  const signalUrl = (signal: 'traces' | 'metrics'): string | undefined =>
    read.optional(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`, collectorUrl) ??
    (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/${signal}`);
  const tracesUrl = signalUrl('traces');
  const metricsUrl = signalUrl('metrics');
  for (const signal of ['', 'TRACES_', 'METRICS_'])
    read.optional(`OTEL_EXPORTER_OTLP_${signal}HEADERS`, otlpHeaders);
  const connectionString = read.optional(
    'APPLICATIONINSIGHTS_CONNECTION_STRING',
    z
      .string()
      .regex(
        /(?:^|;)\s*InstrumentationKey=[0-9a-f-]{36}(?:;|$)/i,
        'must be the connection string of an Application Insights resource',
      ),
  );
  const authentication = read.optional(
    'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
    z
      .string()
      .regex(
        /^Authorization=AAD(?:;ClientId=[\w-]{1,64})?;?$/i,
        'must be Authorization=AAD or Authorization=AAD;ClientId=…',
      ),
  );
  const serviceName = read.optional('OTEL_SERVICE_NAME', z.string().max(255)) ?? 'azdo-batch-agents';
  const metricsEveryMs = read.optional('OTEL_METRIC_EXPORT_INTERVAL', interval) ?? 30_000;
  const hasOtlp = tracesUrl !== undefined || metricsUrl !== undefined;
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  if (!hasOtlp && connectionString === undefined) return undefined;
  return {
    otlp: hasOtlp ? { tracesUrl, metricsUrl } : undefined,
    azureMonitor:
      connectionString === undefined
        ? undefined
        : {
            connectionString,
            identity:
              authentication === undefined
                ? undefined
                : { clientId: /ClientId=([\w-]+)/i.exec(authentication)?.[1] },
          },
    serviceName,
    metricsEveryMs,
  };
}
