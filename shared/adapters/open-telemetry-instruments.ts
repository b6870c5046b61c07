import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';
import { type Metric, metrics } from '../telemetry/metrics.js';

/** A gauge that nobody has set for so long says nothing any more: who measured it runs elsewhere now, or nowhere. */
const gaugeIsFreshForMs = 90_000;

interface Instruments {
  count(metric: string, by: number, attributes: Attributes): void;
  record(metric: string, value: number, attributes: Attributes): void;
}

interface GaugeValue {
  readonly value: number;
  readonly attributes: Attributes;
  readonly at: number;
}

/** The metrics of the product as instruments of a meter; a name that is not among them is ignored. */
export function createInstruments(meter: Meter, now: () => number = Date.now): Instruments {
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  const gauges = new Map<string, Map<string, GaugeValue>>();

  for (const [name, metric] of Object.entries<Metric>(metrics)) {
    const { unit, description, bounds } = metric;
    if (metric.kind === 'counter') counters.set(name, meter.createCounter(name, { unit, description }));
    if (metric.kind === 'histogram') {
      const advice = bounds ? { advice: { explicitBucketBoundaries: [...bounds] } } : {};
      histograms.set(name, meter.createHistogram(name, { unit, description, ...advice }));
    }
    if (metric.kind === 'gauge') {
      const values = new Map<string, GaugeValue>();
      gauges.set(name, values);
      meter.createObservableGauge(name, { unit, description }).addCallback(result => {
        for (const [key, { value, attributes, at }] of values) {
          if (now() - at > gaugeIsFreshForMs) values.delete(key);
          else result.observe(value, attributes);
        }
      });
    }
  }
  return {
    count: (metric, by, attributes) => counters.get(metric)?.add(by, attributes),
    record: (metric, value, attributes) => {
      histograms.get(metric)?.record(value, attributes);
      gauges.get(metric)?.set(JSON.stringify(attributes), { value, attributes, at: now() });
    },
  };
}
