import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

export interface Told {
  readonly warn: (message: string) => void;
  readonly now?: (() => number) | undefined;
}

interface Result {
  readonly code: number;
  readonly error?: Error | undefined;
}

/** Success, as the SDK numbers it: the package that names the number is not one of ours. */
const done = { code: 0 };

/** An exporter that now and then takes something for sent, as an empty batch, must not have the log fill up. */
const silentForMs = 10 * 60_000;

/** Says once that nothing can be sent, and again only after something could be, and not soon: not once a batch. */
function teller(what: string, { warn, now = Date.now }: Told): (result: Result) => void {
  let isAway = false;
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ code, error }) => {
    const failed = code !== 0;
    if (failed && !isAway && now() - toldAt >= silentForMs) {
      toldAt = now();
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
export function quietSpanExporter(exporter: SpanExporter, told: Told): SpanExporter {
  const tell = teller('traces', told);
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

export function quietMetricExporter(exporter: PushMetricExporter, told: Told): PushMetricExporter {
  const tell = teller('metrics', told);
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
