import { app, type InvocationContext } from '@azure/functions';
import { createOpenTelemetry, type OpenTelemetry } from '../../shared/adapters/open-telemetry.js';
import type { TelemetryConfig } from '../../shared/config/telemetry.js';
import type { Log } from '../../shared/ports.js';
import { linesTo } from '../../shared/telemetry/log-line.js';
import { noTelemetry } from '../../shared/telemetry/no-telemetry.js';
import { config } from './settings.js';
import { identityNamed } from './sign-in.js';

const openTelemetry = config.telemetry && traceInto(config.telemetry);
export const telemetry = openTelemetry?.telemetry ?? noTelemetry;
export const isTraced = openTelemetry !== undefined;

function traceInto(where: TelemetryConfig): OpenTelemetry {
  const { azureMonitor } = where;
  return createOpenTelemetry(async () => {
    // It would tell its maker how it is used, at an address of its own.
    process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
    // Not as other parts of the app are loaded: without this one the work goes on.
    const { openTelemetrySink } = await import('../../shared/adapters/open-telemetry-exporters.js');
    const signIn = azureMonitor?.identity && (await identityNamed(azureMonitor.identity.clientId));
    return openTelemetrySink(where, signIn, message => console.warn(message));
  });
}

/** Opens the way out for what has gathered. */
export const openTheWayOut = async (): Promise<void> => {
  try {
    await openTelemetry?.open();
  } catch (error) {
    console.warn(`Telemetry is off: ${error instanceof Error ? error.message : String(error)}`);
  }
};
if (openTelemetry) app.hook.appTerminate(openTelemetry.flush);

/** Log lines go where the invocation's go. */
export const logOf = (context: InvocationContext): Log =>
  linesTo(
    {
      info: line => context.info(line),
      warn: line => context.warn(line),
      error: line => context.error(line),
    },
    config.logFormat,
    openTelemetry?.current ?? (() => ({})),
  );
