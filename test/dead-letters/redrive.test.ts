import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { finishRequest } from '../../shared/activities/finish-request.js';
import { releasePipeline } from '../../shared/activities/release-pipeline.js';
import { askForAgent } from '../../shared/api/ask-for-agent.js';
import { changeRequest } from '../../shared/change-request.js';
import { purge } from '../../shared/dead-letters/purge.js';
import { redrive } from '../../shared/dead-letters/redrive.js';
import { dispatchMessage } from '../../shared/dispatch/dispatch-message.js';
import { reconcile } from '../../shared/dispatch/reconcile.js';
import { newReconcileMemory } from '../../shared/dispatch/reconcile-memory.js';
import { TransientError } from '../../shared/domain/failure.js';
import { advance } from '../../shared/domain/lifecycle.js';
import type { AgentRequest } from '../../shared/domain/request.js';
import { fail } from '../contracts/fail.js';
import { apiCall, bodyOf, pipelineHeaders } from '../fakes/api-call.js';
import { breakingAt } from '../fakes/breaking.js';
import { haveDeadLetter, poolMissing } from '../fakes/dead-letters.js';
import { somePipeline } from '../fakes/requests.js';
import {
  createWorld,
  haveRequest,
  holdsSecret,
  traces,
  type World,
  waitingPipeline,
} from '../fakes/world.js';

const row = async (world: World, requestId = 'r-1'): Promise<AgentRequest> =>
  (await world.store.get(requestId))?.request ?? fail('the request is gone');

const outcomes = async (
  world: World,
  requestIds: readonly string[] = ['r-1'],
  dryRun = false,
): Promise<readonly string[]> => (await redrive(world)(requestIds, { dryRun })).map(({ outcome }) => outcome);

const deliver = async (world: World, message: string, messageId = 'message-1'): Promise<void> =>
  dispatchMessage(world)(new TextEncoder().encode(message), messageId, 1);

/** Delivers what was sent, as the host does. */
async function deliverSent(world: World): Promise<void> {
  for (const message of world.queue.sent.splice(0)) await deliver(world, message);
}

const test = suite('redrive');

test('begins the request again under its id, as its next generation, and empties the queue', async () => {
  const world = createWorld();
  await haveDeadLetter(world, { tags: { team: 'a' } });
  assert.is(world.queue.deadLetters.length, 1);
  world.clock.advance(60_000);
  assert.equal(await outcomes(world), ['redriven']);

  const request = await row(world);
  assert.is(request.state, 'accepted');
  assert.is(request.generation, 2);
  assert.is(request.firstAttempt, 2, 'its agents get new names');
  assert.is(request.failure, undefined);
  assert.match(
    request.history.at(-1)?.detail ?? '',
    /Redriven by an operator; it had failed with PoolMissing/,
  );
  assert.ok(
    request.history.some(({ state }) => state === 'deadLettered'),
    'its past is kept',
  );
  assert.equal(world.queue.deadLetters, []);
  await deliverSent(world);
  assert.is(world.orchestrations.callsOf('startLifecycle').length, 1);
});

test('never calls the pipeline again, that was told already', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  assert.equal(
    world.pipeline.completions.map(({ result }) => result),
    ['failed'],
  );
  const calls = world.pipeline.calls.length;
  await outcomes(world);
  await deliverSent(world);
  const ref = { requestId: 'r-1', generation: 2, attempt: 2 };
  await changeRequest(world.store, ref, before => {
    const change = { at: before.createdAt, attempt: 2, agentName: 'r-1-2', detail: '' };
    return advance(advance(before, { ...change, to: 'provisioning' }), { ...change, to: 'starting' });
  });
  await releasePipeline(world)(ref);
  assert.is((await row(world)).state, 'online');
  assert.is(
    Object.entries(world.orchestrations.running.get('r-1') ?? {}).find(([n]) => n === 'callback')?.[1],
    false,
  );
  await finishRequest(world)({ ...ref, outcome: { state: 'completed', detail: '' } });
  assert.is((await row(world)).state, 'completed');
  assert.is(world.pipeline.calls.length, calls);
  assert.not.match(JSON.stringify((await row(world)).history), /did not take our completion/);
  assert.not.ok(holdsSecret(traces(world).replaceAll(/"sealedToken":"[^"]*"/g, '')));
});

test('leaves a bundle that was once refused: its requests live by themselves', async () => {
  const world = createWorld();
  const bundle = '{"version":1,"requests":[{"version":1,"requestId":"r-1","profile":"macos"}]}';
  await haveRequest(world, 'accepted');
  await deliver(world, bundle);
  const letter = world.store.requests().find(({ state }) => state === 'deadLettered');
  const id = letter?.requestId ?? fail('it is not refused');
  const refusedNow = await redrive(world)([id], { dryRun: false });
  assert.match(refusedNow[0]?.detail ?? '', /requests.0.profile "macos" is not configured/);
  const profile = { devOpsPool: 'Macs', batchPool: 'b', image: 'i' };
  const { config } = createWorld({ env: { AgentProfiles: JSON.stringify({ macos: profile }) } });
  const [result] = await redrive({ ...world, config })([id], { dryRun: false });
  assert.is(result?.outcome, 'refused');
  assert.match(result?.detail ?? '', /bundle/);
  assert.is((await row(world)).state, 'accepted');
});

test('has no pipeline to tell where the first one did not take our word', async () => {
  const world = createWorld();
  world.pipeline.stopWaiting(somePipeline.taskInstanceId);
  await haveDeadLetter(world);
  assert.ok((await row(world)).callback?.refusedWith);
  await outcomes(world);
  assert.is((await row(world)).callback, undefined);
  assert.equal((await row(world)).pipeline, somePipeline, 'who asked is still shown');
});

test('lets the pipeline ask anew by its id once the redriven request is over', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  await outcomes(world);
  const ref = { requestId: 'r-1', generation: 2, attempt: 2 };
  await finishRequest(world)({ ...ref, outcome: { state: 'cancelled', detail: '' } });
  const ask = askForAgent(world, { articleRoute: false });
  const answer = await ask(apiCall({ body: { requestId: 'r-1' }, headers: pipelineHeaders }));
  assert.is(answer.status, 202);
  assert.is(bodyOf(answer)['state'], 'accepted');
  assert.is((await row(world)).generation, 3);
});

test('calls a pipeline that asks by the id while the redriven request is on its way', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  await outcomes(world);
  const headers = { ...pipelineHeaders, TaskInstanceId: 'e1a0c2d4-6666-4a4a-8b8b-000000000006' };
  const ask = askForAgent(world, { articleRoute: false });
  const answer = await ask(apiCall({ body: { requestId: 'r-1' }, headers }));
  assert.is(answer.status, 202);
  assert.is((await row(world)).generation, 2);
  const outcome = { state: 'deadLettered', detail: '', failure: poolMissing } as const;
  await finishRequest(world)({ requestId: 'r-1', generation: 2, attempt: 2, outcome });
  assert.equal(
    world.pipeline.completions.map(({ taskInstanceId }) => taskInstanceId),
    [somePipeline.taskInstanceId, headers.TaskInstanceId],
  );
});

test('asked for twice, at once or later, happens once', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  const both = await Promise.all([outcomes(world), outcomes(world)]);
  assert.equal(both.flat().toSorted(), ['alive', 'redriven']);
  assert.equal(await outcomes(world), ['alive']);
  assert.is(world.queue.sent.length, 1);
  assert.is((await row(world)).generation, 2);

  const ref = { requestId: 'r-1', generation: 2, attempt: 2 };
  await finishRequest(world)({ ...ref, outcome: { state: 'cancelled', detail: '' } });
  assert.equal(await outcomes(world), ['ended']);
});

test('broken off anywhere and asked for again, comes to the same end', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 0; ; at += 1) {
      const world = createWorld();
      await haveDeadLetter(world);
      await haveDeadLetter(world, { requestId: 'other' });
      const told = world.pipeline.calls.length;
      const broken = breakingAt(world, at, when);
      await redrive(broken.dependencies)(['r-1'], { dryRun: false }).catch((error: unknown) => {
        if (!(error instanceof TransientError)) throw error;
      });
      const where = `${when} ${broken.calls[at] ?? 'nothing'}, call ${at}`;
      world.deadLetters.letGo();
      await outcomes(world);
      const request = await row(world);
      assert.is(request.generation, 2, where);
      assert.is(request.state, 'accepted', where);
      const ids = world.queue.deadLetters.map(text => /"requestId":"([^"]*)"/.exec(text)?.[1]);
      assert.equal(ids, ['other'], where);

      // Its message may be what was lost.
      await deliverSent(world);
      world.clock.advance(21_000);
      await reconcile(world, newReconcileMemory())();
      const starts = world.orchestrations.callsOf('startLifecycle').map(({ args }) => args[0]);
      assert.equal(starts, ['r-1'], where);
      assert.is(world.pipeline.calls.length, told, where);
      if (at >= broken.calls.length) break;
    }
  }
});

test('that fails once more is a dead letter of its new generation, with one letter', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  await outcomes(world);
  const failure = {
    code: 'QuotaReached',
    stage: 'nodeAllocation',
    message: 'Full.',
    retryable: true,
  } as const;
  const outcome = { state: 'deadLettered', detail: '', failure } as const;
  await finishRequest(world)({ requestId: 'r-1', generation: 2, attempt: 2, outcome });
  assert.is(world.queue.deadLetters.length, 1);
  assert.match(world.queue.deadLetters[0] ?? '', /"generation":2.*QuotaReached/);
  assert.equal(await outcomes(world), ['redriven']);
  assert.is((await row(world)).generation, 3);
  assert.equal(world.queue.deadLetters, []);
});

test('reads the message under the settings of today', async () => {
  const world = createWorld();
  await deliver(world, '{"version":1,"requestId":"r-9","profile":"gpu","timeoutMinutes":7}');
  assert.equal(await outcomes(world, ['r-9']), ['refused']);
  assert.is((await row(world, 'r-9')).state, 'deadLettered');
  assert.is(world.queue.deadLetters.length, 1, 'it stays a dead letter');

  const profile = { devOpsPool: 'GPU', batchPool: 'gpu', image: 'azdo-agent:gpu' };
  const today = createWorld({ env: { AgentProfiles: JSON.stringify({ gpu: profile }) } });
  const [result] = await redrive({ ...world, config: today.config })(['r-9'], { dryRun: false });
  assert.is(result?.outcome, 'redriven');
  const request = await row(world, 'r-9');
  assert.is(request.profile, 'gpu');
  assert.is(request.devOpsPool, 'GPU');
  assert.match(request.image, /azdo-agent:gpu$/);
  assert.is(request.timeoutMinutes, 7);
});

test('keeps the profile that a message without one was given', async () => {
  const world = createWorld();
  await haveDeadLetter(world, { profile: 'windows', devOpsPool: 'Private Windows' });
  await outcomes(world);
  assert.is((await row(world)).profile, 'windows');
});

test("keeps the image that the article's body or route stands for", async () => {
  for (const [articleRoute, body] of [
    [false, { AgentOSType: 'windows-core-ltsc2022', AgentBuildType: 'java' }],
    [true, {}],
  ] as const) {
    const world = createWorld({
      env: { AgentOSTypes: JSON.stringify({ default: { profile: 'ubuntu', tag: 'usual' } }) },
    });
    const answer = await askForAgent(world, { articleRoute })(apiCall({ body }));
    const requestId = String(bodyOf(answer)['requestId']);
    const before = await row(world, requestId);
    const failure = { code: 'X', stage: 'container', message: '', retryable: false } as const;
    const outcome = { state: 'deadLettered', detail: '', failure } as const;
    await finishRequest(world)({ requestId, generation: 1, attempt: 1, outcome });
    assert.equal(await outcomes(world, [requestId]), ['redriven']);
    const after = await row(world, requestId);
    assert.is(after.image, before.image, JSON.stringify(body));
    assert.is(after.profile, before.profile);
  }
});

test('answers where it was asked to, as long as that is allowed', async () => {
  const world = createWorld();
  await haveDeadLetter(world, { replyQueue: 'agent-replies' });
  await haveDeadLetter(world, { requestId: 'r-2', replyQueue: 'gone-since' });
  await outcomes(world, ['r-1', 'r-2']);
  assert.is((await row(world)).replyQueue, 'agent-replies');
  assert.is((await row(world, 'r-2')).replyQueue, undefined);
});

test('says of each id what became of it', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  await haveDeadLetter(world, { requestId: 'purged' });
  await purge(world)(['purged']);
  await haveRequest(world, 'busy', { requestId: 'busy' });
  const results = await redrive(world)(['busy', 'r-1', 'nobody', 'purged', 'r-1'], { dryRun: false });
  assert.equal(
    results.map(({ requestId, outcome }) => `${requestId} ${outcome}`),
    ['busy alive', 'r-1 redriven', 'nobody notFound', 'purged purged'],
  );
  assert.is((await row(world, 'purged')).generation, 1);
});

test('in a dry run says what it would do and does nothing', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  await deliver(world, 'nonsense');
  const before = [world.store.requests(), [...world.queue.deadLetters]];
  const ids = world.store.requests().map(({ requestId }) => requestId);
  assert.equal((await outcomes(world, ids, true)).toSorted(), ['redrivable', 'refused']);
  assert.equal([world.store.requests(), world.queue.deadLetters], before);
  assert.equal(world.queue.sent, []);
});

test('works although the queue of dead letters does not', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  const away = new TransientError('StorageUnavailable', 'intake', 'Away.');
  world.deadLetters.failNext('receive', away);
  assert.equal(await outcomes(world), ['redriven']);
  assert.is(world.queue.deadLetters.length, 1);
  assert.equal(await outcomes(world), ['alive']);
  assert.equal(world.queue.deadLetters, [], 'it goes with the next look');
});

const settling = suite('purge');

settling('is done with the dead letter and keeps the request', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  world.clock.advance(1_000);
  const [result] = await purge(world)(['r-1']);
  assert.is(result?.outcome, 'purged');
  const request = await row(world);
  assert.is(request.state, 'deadLettered');
  assert.is(request.failure?.code, 'PoolMissing');
  assert.is(request.history.at(-1)?.detail, 'Purged by an operator.');
  assert.equal(world.queue.deadLetters, []);
  assert.equal((await world.store.list({ deadLetters: true, top: 10 }))?.requests, []);
  assert.is((await purge(world)(['r-1']))[0]?.outcome, 'purged');
  assert.is((await row(world)).history.length, request.history.length, 'once');
});

settling('leaves alone what is no dead letter', async () => {
  const world = createWorld();
  const before = await haveRequest(world, 'busy', waitingPipeline(world));
  const results = await purge(world)(['r-1', 'nobody']);
  assert.equal(
    results.map(({ outcome }) => outcome),
    ['alive', 'notFound'],
  );
  assert.equal(await row(world), before);
});

settling('broken off anywhere and asked for again, comes to the same end', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let at = 0; ; at += 1) {
      const world = createWorld();
      await haveDeadLetter(world);
      const broken = breakingAt(world, at, when);
      await purge(broken.dependencies)(['r-1']).catch(() => undefined);
      world.deadLetters.letGo();
      await purge(world)(['r-1']);
      assert.equal(world.queue.deadLetters, [], `${when} call ${at}`);
      const purges = (await row(world)).history.filter(({ detail }) => detail.startsWith('Purged'));
      assert.is(purges.length, 1, `${when} call ${at}`);
      if (at >= broken.calls.length) break;
    }
  }
});

settling('that a redrive overtakes changes nothing', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  world.store.beforeNext('replace', async () => outcomes(world));
  assert.is((await purge(world)(['r-1']))[0]?.outcome, 'alive');
  assert.is((await row(world)).state, 'accepted');
  assert.is((await row(world)).purgedAt, undefined);
});

test.run();
settling.run();
