import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweepQueue } from '../../shared/dead-letters/sweep-queue.js';
import { deadLetterMessage } from '../../shared/domain/dead-letter.js';
import { TransientError } from '../../shared/domain/failure.js';
import { haveDeadLetter, poolMissing } from '../fakes/dead-letters.js';
import { someRequest } from '../fakes/requests.js';
import { createWorld, haveRequest, type World } from '../fakes/world.js';

const letterOf = (requestId: string, generation = 1): string =>
  deadLetterMessage(
    { requestId, generation, profile: 'ubuntu' },
    poolMissing,
    new Uint8Array(),
    '2026-01-31T10:00:00.000Z',
  );

const put = (world: World, ...texts: readonly string[]): void => void world.queue.deadLetters.push(...texts);

const test = suite('the sweep of the dead letter queue');

test('removes what is over, doubled letters too, and nothing else', async () => {
  const world = createWorld();
  await haveDeadLetter(world);
  await haveRequest(world, 'busy', { requestId: 'again', generation: 2 });
  const purgedAt = '2026-01-31T10:00:00.000Z';
  await world.store.insert(
    someRequest({ requestId: 'purged', state: 'deadLettered', purgedAt }),
    new Uint8Array(),
  );
  await world.store.insert(someRequest({ requestId: 'completed', state: 'completed' }), new Uint8Array());
  await haveRequest(world, 'starting', { requestId: 'ending' });
  const kept = [
    ...world.queue.deadLetters,
    letterOf('again', 2),
    // Written, but its row is not yet.
    letterOf('ending'),
    letterOf('nobody'),
    'not JSON',
    '{"version":2,"requestId":"again","generation":1}',
    '{"requestId":"again"}',
    '[]',
  ];
  put(world, ...kept.slice(1));
  put(world, letterOf('again'), letterOf('again'), letterOf('purged'), letterOf('completed'));
  assert.is(await sweepQueue(world), 4);
  assert.equal(world.queue.deadLetters.toSorted(), kept.toSorted());
});

test('comes to the end of a long queue, asking the table once for each request', async () => {
  const world = createWorld();
  await haveRequest(world, 'busy', { requestId: 'again', generation: 2 });
  put(world, ...Array.from({ length: 500 }, (_, index) => letterOf(`n-${index % 50}`)));
  put(world, letterOf('again'));
  const calls = world.store.callsOf('get').length;
  assert.is(await sweepQueue(world), 1);
  assert.is(world.queue.deadLetters.length, 500);
  assert.is(world.store.callsOf('get').length - calls, 51);
});

test('leaves a letter that it can not judge where it was, and goes on with the others', async () => {
  const world = createWorld();
  await haveRequest(world, 'busy', { requestId: 'again', generation: 2 });
  put(world, letterOf('unknown'), letterOf('again'));
  world.store.failNext('get', new TransientError('StorageUnavailable', 'intake', 'Away.'));
  assert.is(await sweepQueue(world), 1);
  assert.equal(world.queue.deadLetters, []);
  world.deadLetters.letGo();
  assert.equal(world.queue.deadLetters, [letterOf('unknown')]);
  assert.match(world.log.lines.join('\n'), /stays in its queue.*Away/);
});

test('gives up in time when the queue is too slow to be gone through', async () => {
  const world = createWorld();
  put(world, ...Array.from({ length: 200 }, (_, index) => letterOf(`n-${index}`)));
  for (let turn = 0; turn < 7; turn += 1) {
    world.deadLetters.beforeNext('receive', () => world.clock.advance(8_000));
  }
  await sweepQueue(world);
  assert.is(world.deadLetters.callsOf('receive').length, 3);
  assert.is(world.queue.deadLetters.length, 200, 'all are back');
});

test.run();
