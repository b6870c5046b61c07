import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { createOpenTelemetry, type FinishedStep } from '../../shared/adapters/open-telemetry.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { redrive } from '../../shared/dead-letters/redrive.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { restartLost } from '../../shared/dispatch/restart-lost.js';
import { readTraceparent } from '../../shared/domain/traceparent.js';
import { linesTo } from '../../shared/telemetry/log-line.js';
import { agentLifecycle } from '../../shared/workflow/agent-lifecycle.js';
import { apiCall } from '../fakes/api-call.js';
import { haveDeadLetter } from '../fakes/dead-letters.js';
import { createWorld, haveRequest, type World } from '../fakes/world.js';
import { replay } from '../workflow/replay.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parent = `00-${traceId}-b7ad6b7169203331-01`;

/** A world in which everything is traced, and the steps that are over. */
async function tracedWorld(): Promise<World & { readonly steps: FinishedStep[]; readonly lines: string[] }> {
  const steps: FinishedStep[] = [];
  const lines: string[] = [];
  const tell = (line: string): void => void lines.push(line);
  const { telemetry, open, current } = createOpenTelemetry(async () => ({
    step: step => void steps.push(step),
    count: () => {},
    record: () => {},
    flush: async () => {},
  }));
  await open();
  const world = createWorld();
  const log = { ...world.log, ...linesTo({ info: tell, warn: tell, error: tell }, 'json', current) };
  return { ...world, telemetry, steps, log, lines };
}

const deliver = async (world: World, message: unknown): Promise<void> =>
  dispatchMessage(world)(new TextEncoder().encode(JSON.stringify(message)), 'message-1', 1);

/** E.g. `POST agents`, by the ids that it is known by elsewhere. */
const spanOf = (traceparent: string | undefined): string => traceparent?.split('-')[2] ?? '?';
const Carrying = z.looseObject({ traceparent: z.string() });
const inputOf = (world: World, call = 0): string =>
  Carrying.parse(world.orchestrations.callsOf('startLifecycle')[call]?.args[1]).traceparent;

const table = suite('readTraceparent');

for (const [text, expected] of [
  [parent, parent],
  [`01${parent.slice(2)}-and-more`, `01${parent.slice(2)}`],
  [parent.toUpperCase(), undefined],
  [`ff${parent.slice(2)}`, undefined],
  [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, undefined],
  [`00-${traceId}-${'0'.repeat(16)}-01`, undefined],
  [`${parent}x`, undefined],
  ['', undefined],
  [null, undefined],
] as const) {
  table(String(text), () => assert.is(readTraceparent(text), expected));
}

table.run();

const carried = suite('the trace of a request is carried');

carried('from the call through the message to the orchestration and its row', async () => {
  const world = await tracedWorld();
  await askForAgent(world, { articleRoute: false })(
    apiCall({ body: { requestId: 'r-1' }, headers: { traceparent: parent } }),
  );
  const [sent = ''] = world.queue.sent;
  await deliver(world, JSON.parse(sent));
  const [send, intake, process] = world.steps;
  assert.equal(
    [intake?.name, send?.name, process?.name],
    ['POST agents', 'agent-requests send', 'agent-requests process'],
  );
  assert.is(intake?.parentSpanId, spanOf(parent));
  assert.is(send?.parentSpanId, intake?.spanId);
  assert.is(spanOf(Carrying.parse(JSON.parse(sent)).traceparent), send?.spanId);
  assert.is(process?.parentSpanId, send?.spanId);
  assert.is(spanOf(inputOf(world)), process?.spanId);
  assert.is((await world.store.get('r-1'))?.request.traceparent, inputOf(world));
  assert.ok(world.steps.every(step => step.traceId === traceId && step.fields['requestId'] === 'r-1'));
});

carried('by a message of another system, and by each of a bundle', async () => {
  const world = await tracedWorld();
  await deliver(world, { version: 1, requestId: 'r-1', traceparent: parent });
  assert.match(inputOf(world), traceId);
  await haveRequest(world, 'accepted', { requestId: 'r-2' });
  const other = parent.replace('0af7', '1bf7');
  await deliver(world, { version: 1, requests: [{ version: 1, requestId: 'r-2', traceparent: other }] });
  assert.match(inputOf(world, 1), other.slice(3, 35));
});

carried('no malformed one, and no message is refused for it', async () => {
  const world = await tracedWorld();
  await deliver(world, { version: 1, requestId: 'r-1', traceparent: 'nonsense' });
  assert.ok(readTraceparent(inputOf(world)), 'it begins a trace of its own');
  assert.is((await world.store.get('r-1'))?.request.state, 'accepted');
});

carried('by a message that is refused, into its dead letter and its line of the log', async () => {
  const world = await tracedWorld();
  await deliver(world, { version: 1, requestId: 'r-1', nonsense: true, traceparent: parent });
  const [process] = world.steps;
  assert.is(process?.name, 'agent-requests process');
  assert.is(process?.parentSpanId, spanOf(parent));
  assert.equal(process?.fields, { requestId: 'r-1', code: 'MessageInvalid', delivery: 1 });
  const letter = Carrying.parse(JSON.parse(world.queue.deadLetters[0] ?? ''));
  assert.is(spanOf(letter.traceparent), process?.spanId);
  assert.match(world.lines[0] ?? '', `"traceId":"${traceId}","requestId":"r-1","attempt":0`);
});

carried('where nothing is traced only as far as it came from somebody', async () => {
  const world = createWorld();
  await deliver(world, { version: 1, requestId: 'r-1' });
  assert.not.ok(JSON.stringify(world.orchestrations.calls).includes('traceparent'));
  await askForAgent(world, { articleRoute: false })(
    apiCall({ body: { requestId: 'r-2' }, headers: { traceparent: parent } }),
  );
  assert.match(world.queue.sent.at(-1) ?? '', parent);
});

carried('to every activity of every attempt', async () => {
  const failure = { code: 'AgentStartFailed', stage: 'container', message: 'x', retryable: true };
  const { calls } = await replay(agentLifecycle, {
    activities: {
      provisionAgent: () => ({ kind: 'rejected', failure }),
      retireAttempt: () => ({ delayMs: 1_000 }),
      finishRequest: () => ({ kind: 'ended' }),
    },
    input: {
      requestId: 'r-1',
      generation: 1,
      firstAttempt: 1,
      attempt: 1,
      attempts: 2,
      timeoutMs: 60_000,
      idleMs: 60_000,
      callback: false,
      traceparent: parent,
    },
  });
  assert.is(calls.length, 4);
  for (const { name, input } of calls) assert.is(Carrying.parse(input).traceparent, parent, name);
});

carried('through a lost orchestration', async () => {
  const world = await tracedWorld();
  await haveRequest(world, 'starting', {
    requestId: 'r-1',
    startClaimedAt: '2026-01-31T10:00:00.000Z',
    traceparent: parent,
  });
  world.clock.advance(24 * 60 * 60_000);
  await restartLost(world, await world.store.live());
  assert.is(inputOf(world), parent);
  assert.equal(
    world.steps.map(({ name, parentSpanId }) => `${name} ${String(parentSpanId)}`),
    [`restart ${spanOf(parent)}`],
  );
});

carried('over a redrive, and by the dead letter', async () => {
  const world = await tracedWorld();
  await haveDeadLetter(world, { traceparent: parent });
  assert.is(Carrying.parse(JSON.parse(world.queue.deadLetters[0] ?? '')).traceparent, parent);
  await redrive(world)(['r-1'], { dryRun: false });
  await deliver(world, JSON.parse(world.queue.sent.at(-1) ?? ''));
  const names = world.steps.map(({ name }) => name);
  assert.equal(names, ['agent-requests send', 'redrive', 'agent-requests process']);
  assert.ok(world.steps.every(step => step.traceId === traceId));
  assert.is(world.steps[2]?.parentSpanId, world.steps[0]?.spanId);
  const told = world.lines.find(line => line.includes('redriven as generation 2')) ?? '';
  assert.match(told, `"traceId":"${traceId}"`);
});

carried.run();
