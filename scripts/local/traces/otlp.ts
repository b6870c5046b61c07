import * as z from 'zod';

/** What the exporters of OpenTelemetry send as JSON (OTLP 1.x), as far as it is shown here. */
const Value = z
  .object({
    stringValue: z.string(),
    boolValue: z.boolean(),
    intValue: z.union([z.number(), z.string()]),
    doubleValue: z.number(),
  })
  .partial()
  .transform(({ stringValue, boolValue, intValue, doubleValue }) => {
    const number = intValue === undefined ? doubleValue : Number(intValue);
    return stringValue ?? boolValue ?? number ?? null;
  });

const Attributes = z
  .array(z.object({ key: z.string(), value: Value }))
  .default([])
  .transform(pairs => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));

/** Nanoseconds since the epoch, which are more than a number can count: milliseconds are. */
const Nanos = z.union([z.string(), z.number()]).transform(nanos => Number(BigInt(nanos) / 1_000n) / 1_000);

const Span = z
  .object({
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string().optional(),
    name: z.string(),
    kind: z.number().default(1),
    startTimeUnixNano: Nanos,
    endTimeUnixNano: Nanos,
    attributes: Attributes,
    status: z.object({ code: z.number().default(0), message: z.string().optional() }).default({ code: 0 }),
  })
  .transform(({ startTimeUnixNano: startMs, endTimeUnixNano: endMs, ...span }) => ({
    ...span,
    startMs,
    endMs,
  }));
export type Span = z.infer<typeof Span>;

export const TracesBody = z
  .object({
    resourceSpans: z
      .array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span).default([]) })).default([]) }))
      .default([]),
  })
  .transform(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );

const Count = z.union([z.number(), z.string()]).transform(Number);
const Point = z.object({
  attributes: Attributes,
  asInt: Count.optional(),
  asDouble: z.number().optional(),
  count: Count.optional(),
  sum: z.number().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
});
const Points = z.object({ dataPoints: z.array(Point).default([]) }).optional();

const Metric = z
  .object({ name: z.string(), unit: z.string().default(''), sum: Points, gauge: Points, histogram: Points })
  .transform(({ name, unit, sum, gauge, histogram }) =>
    [sum, gauge, histogram].flatMap(kind => kind?.dataPoints ?? []).map(point => ({ name, unit, ...point })),
  );
export type MetricPoint = z.infer<typeof Metric>[number];

export const MetricsBody = z
  .object({
    resourceMetrics: z
      .array(
        z.object({ scopeMetrics: z.array(z.object({ metrics: z.array(Metric).default([]) })).default([]) }),
      )
      .default([]),
  })
  .transform(({ resourceMetrics }) =>
    resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics.flat())),
  );
