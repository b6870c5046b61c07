import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { AggregationTemporality, InMemoryMetricExporter, type MetricData } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { azureMonitorExporters } from '../../shared/adapters/azure-monitor-exporters.js';
import { createOpenTelemetry, type OpenTelemetry } from '../../shared/adapters/open-telemetry.js';
import { createSink } from '../../shared/adapters/open-telemetry-sink.js';
import { TransientError } from '../../shared/domain/failure.js';
import { waitFor } from '../support/wait-for.js';

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface Opened extends OpenTelemetry {
  readonly warnings: string[];
  readonly spans: () => Promise<readonly ReadableSpan[]>;
  readonly metric: (name: string) => Promise<MetricData | undefined>;
}

/** Everything but the wire: what is exported stays in memory. */
function create(exporter: SpanExporter = new InMemorySpanExporter(), now: () => number = Date.now): Opened {
  const warnings: string[] = [];
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const open = createOpenTelemetry(async () =>
    createSink({
      serviceName: 'test',
      spans: [exporter],
      metrics: [metrics],
      metricsEveryMs: 60_000,
      warn: message => void warnings.push(message),
      now,
    }),
  );
  return {
    ...open,
    warnings,
    spans: async () => {
      await open.flush();
      return exporter instanceof InMemorySpanExporter ? exporter.getFinishedSpans() : [];
    },
    metric: async name => {
      await open.flush();
      return metrics
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(scope => scope.metrics)
        .find(({ descriptor }) => descriptor.name === name);
    },
  };
}

const adapter = suite('telemetry by OpenTelemetry');

adapter('keeps what happens before it is open, with the ids that were given out then', async () => {
  const { telemetry, open, spans } = create();
  const given = await telemetry.step(
    'agent-requests process',
    { traceparent: parent, requestId: 'r-1' },
    async step => {
      step.note({ delivery: 1, code: undefined });
      return step.traceparent;
    },
  );
  await open();
  const [span] = await spans();
  assert.is(`00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`, given);
  assert.is(span?.spanContext().traceId, parent.slice(3, 35));
  assert.is(span?.parentSpanContext?.spanId, parent.slice(36, 52));
  assert.equal(span?.attributes, { requestId: 'r-1', delivery: 1 });
  assert.is(span?.kind, 4);
});

adapter('makes a step within a step its child, about the same request', async () => {
  const { telemetry, open, spans, current } = create();
  await open();
  await telemetry.step('provisionAgent', { traceparent: parent, requestId: 'r-1', attempt: 2 }, async () => {
    assert.equal(current(), { requestId: 'r-1', attempt: 2, traceId: parent.slice(3, 35) });
    await telemetry.step('batch createTask', {}, async () => {});
  });
  assert.equal(current(), { requestId: undefined, attempt: undefined, traceId: undefined });
  const [inner, outer] = await spans();
  assert.is(inner?.parentSpanContext?.spanId, outer?.spanContext().spanId);
  assert.equal(inner?.attributes, { requestId: 'r-1', attempt: 2 });
});

adapter('begins a trace where there is none, or a malformed one; a call of nothing is no trace', async () => {
  const { telemetry, open, spans } = create();
  await open();
  await telemetry.step('watchPool', {}, async () => {});
  await telemetry.step('POST agents', { traceparent: '00-nonsense-01' }, async () => {});
  await telemetry.step('batch listTasks', {}, async step => assert.is(step.traceparent, undefined));
  const all = await spans();
  assert.equal(
    all.map(({ name }) => name),
    ['watchPool', 'POST agents'],
  );
  assert.ok(all.every(span => span.parentSpanContext === undefined));
  assert.is.not(all[0]?.spanContext().traceId, all[1]?.spanContext().traceId);
});

adapter('writes a wait with the times that it had, also before this process began', async () => {
  const { telemetry, open, spans } = create();
  await open();
  const [from, to] = [new Date('2020-01-31T10:00:00.250Z'), new Date('2020-01-31T10:00:48.000Z')];
  telemetry.past('waiting for the agent', { traceparent: parent, requestId: 'r-1' }, from, to, {
    outcome: 'online',
  });
  const [span] = await spans();
  assert.equal(span?.startTime, [from.getTime() / 1_000 - 0.25, 250_000_000]);
  assert.equal(span?.duration, [47, 750_000_000]);
});

adapter('marks a step that failed, in words of ours only, and lets the error through', async () => {
  const { telemetry, open, spans } = create();
  await open();
  const errors = [
    new TransientError('BatchUnavailable', 'createTask', 'Azure Batch answered 500.'),
    new Error('Request with Authorization: Bearer secret failed'),
  ];
  for (const error of errors) {
    const thrown = await telemetry
      .step('provisionAgent', {}, async () => {
        throw error;
      })
      .catch((caught: unknown) => caught);
    assert.is(thrown, error);
  }
  const [ours, theirs] = await spans();
  assert.is(ours?.status.message, 'Azure Batch answered 500.');
  assert.is(ours?.attributes['code'], 'BatchUnavailable');
  assert.is(theirs?.status.code, 2);
  assert.is(theirs?.status.message, 'Error');
});

adapter('keeps nothing of a trace whose beginner did not want it kept, and hands that on', async () => {
  const { telemetry, open, spans } = create();
  await open();
  const unsampled = `${parent.slice(0, -2)}00`;
  await telemetry.step('POST agents', { traceparent: unsampled }, async step => {
    assert.match(step.traceparent ?? '', /-00$/);
  });
  assert.equal(await spans(), []);
});

adapter('counts, spreads, and shows the present; what it does not know it ignores', async () => {
  const { telemetry, open, metric } = create();
  telemetry.count('agents.requests.accepted', { profile: 'ubuntu' });
  await open();
  telemetry.count('agents.requests.accepted', { profile: 'ubuntu' }, 2);
  telemetry.record('agents.time_to_online', 48, { profile: 'ubuntu' });
  telemetry.record('agents.requests.oldest_waiting', 9, { pool: 'Linux' });
  telemetry.record('agents.requests.oldest_waiting', 12, { pool: 'Linux' });
  telemetry.count('agents.no_such_metric');
  const accepted = await metric('agents.requests.accepted');
  assert.is(accepted?.dataPoints[0]?.value, 3);
  assert.equal(accepted?.dataPoints[0]?.attributes, { profile: 'ubuntu' });
  assert.is((await metric('agents.time_to_online'))?.descriptor.unit, 's');
  assert.is((await metric('agents.requests.oldest_waiting'))?.dataPoints[0]?.value, 12);
  assert.is(await metric('agents.no_such_metric'), undefined);
});

adapter('never fails, and warns once while nothing can be sent', async () => {
  let code = 1;
  let exports = 0;
  const away: SpanExporter = {
    export: (_spans, done) => {
      exports += 1;
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the package that names the numbers is not ours
      done(code === 0 ? { code } : { code, error: new Error('connect ECONNREFUSED\nand what was sent') });
    },
    shutdown: async () => {},
  };
  let now = 0;
  const { telemetry, open, flush, warnings } = create(away, () => now);
  await open();
  const send = async (): Promise<void> => {
    const before = exports;
    await telemetry.step('watchPool', {}, async () => {});
    await flush();
    await waitFor('the export', () => exports > before);
  };
  await send();
  await send();
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^The traces can't be exported \(Error: connect ECONNREFUSED\)/);
  code = 0;
  await send();
  code = 1;
  await send();
  assert.is(warnings.length, 1, 'one that took something in between is not told at once');
  code = 0;
  await send();
  now += 10 * 60_000;
  code = 1;
  await send();
  assert.is(warnings.length, 2, 'another outage is told');
});

adapter('tells Application Insights in the tables that the queries ask', async () => {
  // As the composition root does: it would call home.
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] = 'true';
  const bodies: string[] = [];
  const httpClient: HttpClient = {
    sendRequest: async request => {
      const body = typeof request.body === 'string' ? request.body : '';
      bodies.push(body);
      const items = Items.parse(JSON.parse(body)).length;
      const answer = { itemsReceived: items, itemsAccepted: items, errors: [] };
      return { request, status: 200, headers: createHttpHeaders(), bodyAsText: JSON.stringify(answer) };
    },
  };
  const key = '00000000-0000-0000-0000-000000000001';
  const { spans, metrics } = azureMonitorExporters(`InstrumentationKey=${key}`, undefined, httpClient);
  const { telemetry, open, flush } = createOpenTelemetry(async () =>
    createSink({ serviceName: 'test', spans, metrics, metricsEveryMs: 60_000, warn: assert.unreachable }),
  );
  await open();
  const of = { traceparent: parent, requestId: 'r-1', attempt: 1 };
  for (const name of ['POST agents', 'agent-requests process', 'agent-requests send', 'provisionAgent'])
    await telemetry.step(name, of, async () => {});
  telemetry.past('waiting for the agent', of, new Date(0), new Date(48_000), { outcome: 'online' });
  telemetry.count('agents.dead_letters', { code: 'PoolMissing' });
  await flush();
  const data = bodies.flatMap(body => Items.parse(JSON.parse(body))).map(({ data: item }) => item);
  const named = (name: string) => data.find(({ baseData }) => baseData.name === name);
  assert.is(named('POST agents')?.baseType, 'RequestData');
  assert.is(named('agent-requests process')?.baseType, 'RequestData');
  for (const name of ['agent-requests send', 'provisionAgent', 'waiting for the agent'])
    assert.is(named(name)?.baseType, 'RemoteDependencyData', name);
  assert.is(named('waiting for the agent')?.baseData.properties['requestId'], 'r-1');
  const metric = data.find(({ baseData }) => baseData.metrics?.[0]?.name === 'agents.dead_letters');
  assert.is(metric?.baseData.metrics?.[0]?.value, 1);
  assert.is(metric?.baseData.properties['code'], 'PoolMissing');
});

/** What Application Insights is sent, as far as it matters here. */
const Items = z.array(
  z.object({
    data: z.object({
      baseType: z.string(),
      baseData: z.object({
        name: z.string().optional(),
        metrics: z.array(z.object({ name: z.string(), value: z.number() })).optional(),
        properties: z.record(z.string(), z.unknown()).default({}),
      }),
    }),
  }),
);

adapter('that can not be opened harms nobody', async () => {
  const { telemetry, open, flush } = createOpenTelemetry(async () => {
    throw new Error('no such module');
  });
  assert.is(await open().catch((error: Error) => error.message), 'no such module');
  for (let count = 0; count < 5_000; count += 1) telemetry.count('agents.requests.accepted');
  assert.is(await telemetry.step('watchPool', {}, async () => 7), 7);
  await flush();
});

adapter.run();
