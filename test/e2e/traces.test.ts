import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { findInText } from '../../scripts/chaos/scan.js';
import { defaultImages } from '../../scripts/local/batch/images.js';
import type { RunningService } from '../../scripts/local/service.js';
import type { Stack } from '../../scripts/local/stack/stack.js';
import { startTraces } from '../../scripts/local/traces/server.js';
import { stepFields } from '../../shared/telemetry/steps.js';
import { makeTempFolder, type TempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';
import { type AgentsApi, agentsApi } from './support/agents-api.js';
import { type Pipelines, pipelinesOf } from './support/pipelines.js';
import { changeBatchPool, openWorld, pools } from './support/world.js';

const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  startMs: z.number(),
  endMs: z.number(),
  attributes: z.record(z.string(), z.unknown()),
});
type Span = z.infer<typeof Span>;
/** What queries may ask for. */
const known = new Set<string>(stepFields);

const Traces = z.object({ traces: z.array(z.array(Span)) });

let collector: RunningService;
let received = '';
let folder: TempFolder;
let stack: Stack;
let end: () => Promise<void>;
let api: AgentsApi;
let pipelines: Pipelines;
let output = '';

const traces = suite('the trace of a request');

traces.before(async () => {
  collector = await startTraces({ onBody: (path, body) => (received += `${path} ${body}\n`) });
  folder = await makeTempFolder('images-');
  const images = join(folder.path, 'images.json');
  const command = [process.execPath, '-e', 'process.exit(3)'];
  await writeFile(images, JSON.stringify([{ image: '*dying-agent:*', command }, ...defaultImages]));
  ({ stack, end } = await openWorld({
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_METRIC_EXPORT_INTERVAL: '1000' },
    profiles: {
      dying: { devOpsPool: pools.hasty, batchPool: 'batchLinux', image: 'dying-agent:1', attempts: 2 },
    },
    args: { batch: ['--images', images, '--runner', 'process'] },
    onEvent: event => {
      if (event.type === 'line' && event.part === 'host') output += `${event.line}\n`;
    },
  }));
  api = agentsApi(stack);
  pipelines = pipelinesOf(stack);
});
traces.after(async () => {
  await end();
  await collector.close();
  await folder.remove();
});

/** The steps of the one trace of a request, once the last of them has come. */
async function stepsOf(requestId: string): Promise<readonly Span[]> {
  return waitFor(`the whole trace of ${requestId}`, async () => {
    const answer = await fetch(`${collector.url}/traces/${requestId}.json`);
    const found = Traces.parse(await answer.json()).traces;
    assert.is(found.length, 1, 'one trace');
    const steps = found[0] ?? [];
    return steps.some(({ name }) => name === 'finishRequest') && steps;
  });
}

/** The steps in the order of their beginnings, each with the one that it belongs to; calls of services left out. */
function storyOf(steps: readonly Span[]): readonly string[] {
  const names = new Map(steps.map(({ spanId, name }) => [spanId, name]));
  return steps
    .filter(({ name }) => !/^(?:batch|devops) /.test(name))
    .map(({ name, parentSpanId }) => `${names.get(parentSpanId ?? '') ?? '-'} > ${name}`);
}

const metrics = async (): Promise<string> => (await fetch(`${collector.url}/metrics`)).text();

traces(
  'has all of its steps in their order, although the host was killed midway, and no secret',
  async () => {
    const canary = `canary${randomBytes(24).toString('hex')}`;
    const capability = `value${randomBytes(12).toString('hex')}`;
    await changeBatchPool(stack, 'batchLinux', { maxNodes: 0 });
    const { runId } = await pipelines.start({
      authToken: `a/+=&%.${canary}.z`,
      script: 'sleep 1',
      body: { capabilities: { TEST_BUILD: '$(Build.BuildId)', OTHER: capability } },
    });
    const requestId = await pipelines.requestId(runId);
    await api.until(requestId, 'starting');
    await waitFor('the steps so far to be sent', () => received.includes('provisionAgent'));
    await stack.restart('host');
    await changeBatchPool(stack, 'batchLinux', { maxNodes: 2 });
    await api.until(requestId, 'busy');
    assert.is((await api.end(requestId)).state, 'completed');
    assert.is((await pipelines.end(runId)).result, 'succeeded');

    const steps = await stepsOf(requestId);
    assert.equal(
      storyOf(steps),
      [
        '- > POST agents',
        'POST agents > agent-requests send',
        'agent-requests send > agent-requests process',
        'agent-requests process > provisionAgent',
        'agent-requests process > waiting for the agent',
        'agent-requests process > releasePipeline',
        'agent-requests process > waiting for a job',
        'releasePipeline > pipeline callback',
        'agent-requests process > recordBusy',
        'agent-requests process > agent at work',
        'agent-requests process > finishRequest',
      ].toSorted(byStartOf(steps)),
    );
    for (const { name, attributes, startMs, endMs } of steps) {
      assert.is(attributes['requestId'], requestId, name);
      for (const field of Object.keys(attributes)) assert.ok(known.has(field), `${name} has ${field}`);
      assert.ok(endMs >= startMs, name);
    }
    const named = (name: string): Span => {
      const found = steps.find(step => step.name === name);
      if (!found) throw new Error(`There is no step ${name}.`);
      return found;
    };
    for (const name of ['provisionAgent', 'releasePipeline', 'recordBusy', 'finishRequest'])
      assert.is(named(name).attributes['attempt'], 1, name);
    assert.is(named('finishRequest').attributes['state'], 'completed');
    assert.is(named('waiting for the agent').attributes['outcome'], 'online');
    // One wait follows the other, whichever process wrote it down.
    assert.is(named('waiting for a job').startMs, named('waiting for the agent').endMs);
    assert.is(named('agent at work').startMs, named('waiting for a job').endMs);
    assert.ok(named('agent at work').endMs >= named('finishRequest').startMs);

    assert.equal(findInText('what was exported', received, canary), []);
    assert.equal(findInText('what was exported', received, capability), []);
    for (const secret of [stack.pat, stack.functionKey, stack.settings['BatchAccountKey'] ?? '?'])
      assert.not.ok(received.includes(secret));
    const line = output.split('\n').find(each => each.includes(`Request ${requestId} attempt 1: completed`));
    assert.match(line ?? '', `requestId=${requestId} attempt=1 traceId=${steps[0]?.traceId ?? '?'}`);
  },
);

/** Steps that begin within the same millisecond may come in either order. */
function byStartOf(steps: readonly Span[]): (one: string, other: string) => number {
  const at = (line: string): number => steps.findIndex(({ name }) => line.endsWith(`> ${name}`));
  const startOf = (line: string): number => Math.floor(steps[at(line)]?.startMs ?? 0);
  return (one, other) => (startOf(one) === startOf(other) ? at(one) - at(other) : 0);
}

traces('goes on from the trace of its caller, and has every attempt', async () => {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const { request } = await api.ask({ profile: 'dying' }, { traceparent: `00-${traceId}-${spanId}-01` });
  const { requestId } = request;
  assert.is((await api.end(requestId)).state, 'deadLettered');
  const steps = await stepsOf(requestId);
  assert.is(steps[0]?.traceId, traceId);
  assert.is(steps[0]?.parentSpanId, spanId);
  const attempts = (name: string): readonly unknown[] =>
    steps.filter(step => step.name === name).map(({ attributes }) => attributes['attempt']);
  assert.equal(attempts('provisionAgent'), [1, 2]);
  assert.equal(attempts('waiting for the agent'), [1, 2]);
  assert.equal(attempts('retireAttempt'), [1]);
  assert.equal(attempts('finishRequest'), [2]);
  const failed = steps.filter(({ name }) => name === 'waiting for the agent');
  assert.equal(
    failed.map(({ attributes }) => attributes['code']),
    ['AgentStartFailed', 'AgentStartFailed'],
  );
  assert.is(steps.filter(({ name }) => name === 'dead letter send').length, 1);
});

traces('comes with metrics of what was done', async () => {
  const text = await waitFor('the metrics', async () => {
    const now = await metrics();
    return now.includes('agents.dead_letters') && now;
  });
  for (const line of [
    /^agents\.requests\.ended\{profile="dying",state="deadLettered",code="AgentStartFailed"\} 1 /m,
    /^agents\.attempts\.failed\{profile="dying",code="AgentStartFailed"\} 1 /m,
    /^agents\.time_to_online\{profile="ubuntu"\} count=1 /m,
    /^agents\.queue\.age count=\d+ mean=\d/m,
    /^agents\.watch\.duration\{pool="AzDOHasty"\} count=\d/m,
    /^agents\.calls\{service="batch",operation="createTask",outcome="created"\} 2 /m,
    /^agents\.calls\{service="callback",operation="complete",outcome="acknowledged"\} 1 /m,
  ])
    assert.match(text, line);
});

traces(
  'is missed by nobody but its readers: without a collector all goes on, and one line says so',
  async () => {
    await collector.close();
    const ids = await Promise.all(
      [1, 2].map(async () => (await api.ask({ profile: 'windows' })).request.requestId),
    );
    for (const requestId of ids) {
      await api.until(requestId, 'online');
      await api.cancel(requestId);
      assert.is((await api.end(requestId)).state, 'cancelled');
    }
    const told = (what: string): number => output.split(`The ${what} can't be exported`).length - 1;
    await waitFor('both to be told', () => told('traces') > 0 && told('metrics') > 0, { timeoutMs: 20_000 });
    // Another batch fails as well, and is not told.
    const { request } = await api.ask({ profile: 'windows' });
    await api.until(request.requestId, 'online');
    await api.cancel(request.requestId);
    await api.end(request.requestId);
    assert.is(told('traces'), 1);
    assert.is(told('metrics'), 1);
  },
);

traces.run();
