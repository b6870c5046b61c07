import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHostConfig } from '../../../scripts/local/host/host-config.js';
import { HttpLoad } from '../../../scripts/local/host/http-load.js';

const test = suite('The load of HTTP functions');

/** Work that ends when it is told to. */
function gates(count: number) {
  const begun: number[] = [];
  const open: (() => void)[] = [];
  const work = Array.from({ length: count }, (_, index) => async () => {
    begun.push(index);
    await new Promise<void>(resolve => {
      open[index] = resolve;
    });
  });
  return { begun, open, work };
}

const turn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve);
  });

test('runs no more at once than the limit, in the order of their coming', async () => {
  const load = new HttpLoad(2);
  const { begun, open, work } = gates(4);
  const all = Promise.all(work.map(one => load.run(one)));
  await turn();
  assert.equal(begun, [0, 1]);
  open[1]?.();
  await turn();
  assert.equal(begun, [0, 1, 2]);
  for (const index of [0, 2]) open[index]?.();
  await turn();
  open[3]?.();
  await all;
});

test('is calm once the crowd is answered, failures included', async () => {
  const load = new HttpLoad(1_000);
  await load.calm(60_000);
  const { open, work } = gates(50);
  const all = Promise.allSettled([
    ...work.map(one => load.run(one)),
    load.run(() => Promise.reject(new Error('one fails'))),
  ]);
  await turn();
  let calm = false;
  const waiting = (async () => {
    await load.calm(60_000);
    calm = true;
  })();
  for (const go of open.splice(0, 10)) go();
  await turn();
  assert.not(calm);
  for (const go of open) go();
  await waiting;
  await all;
});

test('lets nobody wait longer than they will', async () => {
  const load = new HttpLoad(1);
  const { open, work } = gates(50);
  const all = Promise.all(work.map(one => load.run(one)));
  await turn();
  await load.calm(1);
  for (let index = 0; index < 50; index += 1) {
    open[index]?.();
    await turn();
  }
  await all;
});

test('is limited as host.json says', () => {
  const limit = (http: object) =>
    parseHostConfig({ version: '2.0', extensions: { http } }, 'host.json').maxConcurrentRequests;
  assert.equal(
    [limit({}), limit({ maxConcurrentRequests: -1 }), limit({ maxConcurrentRequests: '20' })],
    [Infinity, Infinity, 20],
  );
  assert.throws(() => limit({ maxConcurrentRequests: 0 }), 'maxConcurrentRequests');
});

test.run();
