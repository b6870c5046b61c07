import type { MetricPoint, Span } from './otlp.js';

/** All in memory, so there must be an end: the oldest traces go first. */
const tracesAtMost = 500;
const spansAtMost = 2_000;
const pointsAtMost = 2_000;

/** What is kept of the traces and metrics that were received. */
export class Kept {
  readonly #traces = new Map<string, Span[]>();
  readonly #points = new Map<string, MetricPoint>();

  addSpans(spans: readonly Span[]): void {
    for (const span of spans) {
      const trace = this.#traces.get(span.traceId) ?? [];
      // The one that was added to last is the last to go.
      this.#traces.delete(span.traceId);
      this.#traces.set(span.traceId, trace);
      if (trace.length < spansAtMost) trace.push(span);
    }
    for (const [traceId] of this.#traces) {
      if (this.#traces.size <= tracesAtMost) break;
      this.#traces.delete(traceId);
    }
  }

  addPoints(points: readonly MetricPoint[]): void {
    for (const point of points) {
      const key = `${point.name} ${JSON.stringify(point.attributes)}`;
      if (this.#points.has(key) || this.#points.size < pointsAtMost) this.#points.set(key, point);
    }
  }

  /** In the order of their names. */
  points(): readonly MetricPoint[] {
    return [...this.#points].toSorted(([one], [other]) => one.localeCompare(other)).map(([, point]) => point);
  }

  /** The traces that tell of a request, or the trace of this id; spans in the order of their start. */
  find(id: string): readonly (readonly Span[])[] {
    return [...this.#traces]
      .filter(
        ([traceId, spans]) =>
          traceId === id.toLowerCase() || spans.some(({ attributes }) => attributes['requestId'] === id),
      )
      .map(([, spans]) => spans.toSorted(byStart));
  }

  /** Those that tell of a request, newest first. */
  latest(): readonly (readonly Span[])[] {
    return [...this.#traces.values()]
      .filter(spans => spans.some(({ attributes }) => attributes['requestId'] !== undefined))
      .toReversed()
      .map(spans => spans.toSorted(byStart));
  }
}

const byStart = (one: Span, other: Span): number => one.startMs - other.startMs || other.endMs - one.endMs;
