import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

interface Result {
  readonly code: number;
  readonly error?: Error | undefined;
}

/** Success, as the SDK numbers it: the package that names the number is not one of ours. */
const done = { code: 0 };

/** Says once that nothing can be sent, and again only after something could be: not once a batch. */
function teller(what: string, warn: (message: string) => void): (result: Result) => void {
  let isAway = false;
  return ({ code, error }) => {
    const failed = code !== 0;
    if (failed && !isAway) {
      warn(
        `The ${what} can't be exported (${error?.name ?? 'Error'}: ${reasonOf(error)}). The app goes on without; check the ` +
          'address in OTEL_EXPORTER_OTLP_ENDPOINT or APPLICATIONINSIGHTS_CONNECTION_STRING, and that it can be reached. ' +
          'It is tried on, and told again only after it has worked.',
      );
    }
    isAway = failed;
  };
}

/** The first line and no more of it: what follows may hold what was sent. */
const reasonOf = (error: Error | undefined): string =>
  error?.message.split('\n', 1)[0]?.slice(0, 200) ?? 'no reason';

/** An exporter that fails quietly: the SDK would print an error for each batch that could not be sent. */
export function quietSpanExporter(exporter: SpanExporter, warn: (message: string) => void): SpanExporter {
  const tell = teller('traces', warn);
  return {
    export: (spans, settled) =>
      exporter.export(spans, result => {
        tell(result);
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- see `done`
        settled(done);
      }),
    shutdown: async () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

export function quietMetricExporter(
  exporter: PushMetricExporter,
  warn: (message: string) => void,
): PushMetricExporter {
  const tell = teller('metrics', warn);
  const selectTemporality = exporter.selectAggregationTemporality?.bind(exporter);
  const selectAggregation = exporter.selectAggregation?.bind(exporter);
  return {
    export: (metrics, settled) =>
      exporter.export(metrics, result => {
        tell(result);
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- see `done`
        settled(done);
      }),
    shutdown: async () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush(),
    ...(selectTemporality ? { selectAggregationTemporality: selectTemporality } : {}),
    ...(selectAggregation ? { selectAggregation } : {}),
  };
}
