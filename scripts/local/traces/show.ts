import { groupBy } from '../../group-by.js';
import type { MetricPoint, Span } from './otlp.js';

/** Told in the heading, or in the tree itself. */
const left = new Set(['requestId', 'attempt', 'profile']);

/**
 * A trace as a tree: when each step began and how long it took, both since the beginning of the trace.
 *
 *     trace 0af7651916cd43dd8448eb211c80319c of request my-agent
 *         0 ms    12 ms  POST agents  status=202
 *         7 ms     4 ms  └─ agent-requests send
 */
export function showTrace(spans: readonly Span[]): string {
  const [first] = spans;
  if (!first) return '';
  const known = new Set(spans.map(({ spanId }) => spanId));
  const children = groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== undefined && known.has(parentSpanId) ? parentSpanId : '',
  );
  const lines: string[] = [];
  const add = (span: Span, indent: string, branch: string): void => {
    const since = `${Math.round(span.startMs - first.startMs)} ms`.padStart(10);
    const took = `${Math.round(span.endMs - span.startMs)} ms`.padStart(10);
    lines.push(`${since}${took}  ${indent}${branch}${span.name}${details(span)}`);
    const inner = indent + (branch === '' ? '' : branch.startsWith('└') ? '   ' : '│  ');
    const below = children.get(span.spanId) ?? [];
    for (const [index, child] of below.entries())
      add(child, inner, index === below.length - 1 ? '└─ ' : '├─ ');
  };
  for (const root of children.get('') ?? []) add(root, '', '');
  return `trace ${first.traceId}${ofRequest(spans)}\n${lines.join('\n')}\n`;
}

/** The request that a trace is of, if it is of one. */
const requestOf = (spans: readonly Span[]): string | undefined => {
  const id = spans.find(({ attributes }) => attributes['requestId'] !== undefined)?.attributes['requestId'];
  return typeof id === 'string' ? id : undefined;
};

const ofRequest = (spans: readonly Span[]): string => {
  const id = requestOf(spans);
  return id === undefined ? '' : ` of request ${id}`;
};

function details({ attributes, status }: Span): string {
  const attempt = Number(attributes['attempt'] ?? 0);
  const shown = Object.entries(attributes)
    .filter(([name]) => !left.has(name))
    .map(([name, value]) => `${name}=${String(value)}`);
  const all = [...(attempt > 0 ? [`attempt ${attempt}`] : []), ...shown];
  const failed = status.code === 2 ? `  failed: ${status.message ?? 'no reason'}` : '';
  return `${all.length > 0 ? `  ${all.join(' ')}` : ''}${failed}`;
}

/** One line a trace: when it began, how long it has gone on, and of which request it is. */
export function showLatest(traces: readonly (readonly Span[])[]): string {
  if (traces.length === 0) return 'No trace of a request has come yet.\n';
  return traces
    .map(spans => {
      const startMs = Math.min(...spans.map(span => span.startMs));
      const endMs = Math.max(...spans.map(span => span.endMs));
      const took = `${((endMs - startMs) / 1_000).toFixed(1)} s`.padStart(9);
      const id = requestOf(spans) ?? '';
      return `${new Date(startMs).toISOString()} ${took}  ${String(spans.length).padStart(4)} steps  /traces/${id}\n`;
    })
    .join('');
}

/** One line a metric and set of fields, with its last value. */
export const showMetrics = (points: readonly MetricPoint[]): string =>
  points
    .map(point => `${point.name}${fieldsOf(point)} ${valueOf(point)} ${point.unit}`.trimEnd())
    .join('\n') + (points.length > 0 ? '\n' : 'No metric has come yet.\n');

const fieldsOf = ({ attributes }: MetricPoint): string => {
  const fields = Object.entries(attributes).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return fields.length > 0 ? `{${fields.join(',')}}` : '';
};

const valueOf = ({ asInt, asDouble, count, sum, min, max }: MetricPoint): string =>
  count === undefined
    ? String(asInt ?? asDouble ?? 0)
    : `count=${count} mean=${round((sum ?? 0) / Math.max(count, 1))} min=${round(min ?? 0)} max=${round(max ?? 0)}`;

const round = (value: number): number => Number(value.toFixed(3));
