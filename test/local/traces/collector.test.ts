import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { RunningService } from '../../../scripts/local/service.js';
import { startTraces } from '../../../scripts/local/traces/server.js';

let collector: RunningService;

const local = suite('the local collector');

local.before(async () => {
  collector = await startTraces();
});
local.after(async () => collector.close());

const Traces = z.object({ traces: z.array(z.array(z.looseObject({ startMs: z.number() }))) });

const tracesAt = async (path: string, accept?: string): Promise<z.infer<typeof Traces>['traces']> =>
  Traces.parse(JSON.parse((await get(path, accept)).text)).traces;

const get = async (path: string, accept = '*/*'): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${collector.url}${path}`, { headers: { accept } });
  return { status: response.status, text: await response.text() };
};

const post = async (path: string, body: unknown): Promise<number> => {
  const response = await fetch(`${collector.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return response.status;
};

const traceId = '0af7651916cd43dd8448eb211c80319c';
const begin = 1_769_853_600_000;

function span(name: string, spanId: string, parentSpanId: string | undefined, ms: [number, number]) {
  const [from, to] = ms.map(each => String(BigInt(begin + each) * 1_000_000n));
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: 1,
    startTimeUnixNano: from,
    endTimeUnixNano: to,
    attributes: [
      { key: 'requestId', value: { stringValue: 'my-agent' } },
      { key: 'attempt', value: { intValue: 1 } },
    ],
    status: name === 'finishRequest' ? { code: 2, message: 'Azure Batch answered 500.' } : { code: 0 },
  };
}

const body = (...spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

local('says so while nothing has come', async () => {
  assert.match((await get('/')).text, 'No trace');
  assert.is((await get('/traces/my-agent')).status, 404);
  assert.match((await get('/metrics')).text, 'No metric');
});

local('shows the trace of a request as a tree, whatever order its steps came in', async () => {
  assert.is(await post('/v1/traces', body(span('finishRequest', 'c', 'b', [40, 48]))), 200);
  await post(
    '/v1/traces',
    body(span('process', 'b', 'a', [5, 20]), span('provisionAgent', 'd', 'b', [9, 39])),
  );
  await post('/v1/traces', body(span('POST agents', 'a', 'of the caller', [0, 12])));
  assert.is(
    (await get('/traces/my-agent')).text,
    [
      `trace ${traceId} of request my-agent`,
      '      0 ms     12 ms  POST agents  attempt 1',
      '      5 ms     15 ms  └─ process  attempt 1',
      '      9 ms     30 ms     ├─ provisionAgent  attempt 1',
      '     40 ms      8 ms     └─ finishRequest  attempt 1  failed: Azure Batch answered 500.',
      '',
    ].join('\n'),
  );
  assert.match((await get('/')).text, /^2026-01-31T10:00:00\.000Z +0\.0 s +4 steps {2}\/traces\/my-agent\n$/);
});

local('gives it as JSON, too, and by the id of the trace', async () => {
  for (const [path, accept] of [
    ['/traces/my-agent.json', '*/*'],
    ['/traces/my-agent', 'application/json'],
    [`/traces/${traceId}.json`, '*/*'],
  ] as const) {
    const [steps] = await tracesAt(path, accept);
    assert.is(steps?.length, 4);
    assert.is(steps?.[0]?.startMs, begin);
  }
});

local('shows the last value of each metric', async () => {
  const point = (count: number) => ({
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'agents.calls',
                unit: '{call}',
                sum: {
                  dataPoints: [{ attributes: [{ key: 's', value: { stringValue: 'b' } }], asInt: count }],
                },
              },
              {
                name: 'agents.time_to_online',
                unit: 's',
                histogram: { dataPoints: [{ attributes: [], count: '2', sum: 96, min: 40, max: 56 }] },
              },
            ],
          },
        ],
      },
    ],
  });
  await post('/v1/metrics', point(1));
  await post('/v1/metrics', point(2));
  assert.is(
    (await get('/metrics')).text,
    'agents.calls{s="b"} 2 {call}\nagents.time_to_online count=2 mean=48 min=40 max=56 s\n',
  );
});

local('refuses what it can not read, and says what it takes', async () => {
  assert.is(await post('/v1/traces', 'not JSON'), 400);
  assert.is(await post('/v1/traces', { resourceSpans: 7 }), 400);
});

local('keeps no more than there is room for', async () => {
  const many = (trace: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...span('x', `s${index}`, undefined, [0, 1]),
      traceId: trace,
    }));
  for (let each = 0; each < 510; each += 1) await post('/v1/traces', body(...many(`t${each}`, 1)));
  assert.is((await get('/')).text.trim().split('\n').length, 500);
  assert.is((await get(`/traces/${traceId}`)).status, 404, 'the oldest went first');
  await post('/v1/traces', body(...many('large', 2_500)));
  assert.is((await tracesAt('/traces/large.json'))[0]?.length, 2_000);
});

local.run();
