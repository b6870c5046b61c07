import { RestError, type TransactionAction } from '@azure/data-tables';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CoalescingOptions, coalesceWrites } from '../../shared/adapters/coalesced-writes.js';

interface Call {
  readonly keys: readonly string[];
  readonly alone: boolean;
  answer(error?: Error): void;
}

/** A table whose answers wait until they are let go. */
function openTable(options: CoalescingOptions = {}) {
  const calls: Call[] = [];
  let onTheirWay = 0;
  let most = 0;
  const begin = <T>(keys: readonly string[], alone: boolean, result: T): Promise<T> =>
    new Promise((resolve, reject) => {
      onTheirWay += 1;
      most = Math.max(most, onTheirWay);
      const answer = (error?: Error): void => {
        onTheirWay -= 1;
        if (error) reject(error);
        else resolve(result);
      };
      calls.push({ keys, alone, answer });
    });
  const { write } = coalesceWrites(
    {
      updateEntity: async entity => begin([entity.rowKey ?? ''], true, { etag: `v-${entity.rowKey ?? ''}` }),
      submitTransaction: async actions => {
        const keys = actions.map(([, { rowKey }]) => rowKey ?? '');
        const subResponses = keys.map(rowKey => ({ status: 204, rowKey, etag: `v-${rowKey}` }));
        return begin(keys, false, { subResponses });
      },
    },
    options,
  );
  return {
    calls,
    write,
    most: () => most,
    /** Answers what comes until nothing comes any more. */
    run: async (judge: (call: Call) => Error | undefined = () => undefined): Promise<void> => {
      for (let done = 0; ; ) {
        await settled();
        const next = calls.slice(done);
        if (next.length === 0) return;
        done += next.length;
        for (const call of next) call.answer(judge(call));
      }
    },
  };
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const update = (rowKey: string, columns: object = {}): TransactionAction[] => [
  ['update', { partitionKey: 'p', rowKey, ...columns }, 'Merge', { etag: 'v' }],
];
const pair = (rowKey: string): TransactionAction[] => [
  ['create', { partitionKey: 'p', rowKey }],
  ['create', { partitionKey: 'p', rowKey: `pointer-${rowKey}` }],
];
const answer = (statusCode: number, code: string): RestError =>
  Object.assign(new RestError(code, { statusCode }), { code });
const conflict = answer(412, 'UpdateConditionNotSatisfied');
const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `r-${index}`);

const test = suite('coalesced writes');

test('a write that comes alone goes at once, as a plain call', async () => {
  const { calls, write, run } = openTable();
  const written = write(update('a'));
  assert.equal(
    calls.map(({ keys, alone }) => [keys, alone]),
    [[['a'], true]],
  );
  await run();
  assert.equal(await written, ['v-a']);
});

test('what must be written together is one transaction, also when it comes alone', async () => {
  const { calls, write, run } = openTable();
  const written = write(pair('a'));
  await run();
  assert.equal(await written, ['v-a', 'v-pointer-a']);
  assert.is(calls.length, 1);
});

test('those that come while enough are on their way go together, a hundred actions at most', async () => {
  const { calls, write, run, most } = openTable({ atOnce: 2 });
  const written = Promise.all(ids(152).map(async id => write(pair(id))));
  await run();
  assert.equal(
    await written,
    ids(152).map(id => [`v-${id}`, `v-pointer-${id}`]),
  );
  assert.equal(
    calls.map(({ keys }) => keys.length),
    [2, 2, 100, 100, 100],
  );
  assert.is(most(), 2);
});

test('never touches an entity twice in a transaction, and keeps the order of its writes', async () => {
  const { calls, write, run } = openTable({ atOnce: 1 });
  const written = [['x'], ['a'], ['b'], ['a'], ['c'], ['a']].map(async ([key = '']) => write(update(key)));
  await run();
  await Promise.all(written);
  assert.equal(
    calls.map(({ keys }) => keys),
    [['x'], ['a', 'b', 'c'], ['a'], ['a']],
  );
});

test('keeps a transaction to the size that the service takes', async () => {
  const { calls, write, run } = openTable({ atOnce: 1 });
  const large = { message: new Uint8Array(64 * 1024), history: 'ü'.repeat(28_000) };
  const written = ids(60).map(async id => write(update(id, large)));
  await run();
  await Promise.all(written);
  const sizes = calls.map(({ keys }) => keys.length);
  assert.is(
    sizes.reduce((sum, size) => sum + size, 0),
    60,
  );
  // Some 145 kB each as they go over the wire: 4 MiB hold 28 of them.
  assert.ok(Math.max(...sizes) <= 27 && sizes.length <= 5, sizes.join(' '));
});

test('one that is refused refuses no other, and is found in few calls', async () => {
  const { calls, write, run } = openTable({ atOnce: 1 });
  const written = Promise.allSettled(ids(51).map(async id => write(update(id))));
  await run(({ keys }) => (keys.includes('r-30') ? conflict : undefined));
  for (const [index, each] of (await written).entries()) {
    if (index === 30) assert.is(each.status === 'rejected' && each.reason, conflict);
    else assert.equal(each, { status: 'fulfilled', value: [`v-r-${index}`] });
  }
  assert.ok(calls.length <= 14, `${calls.length} calls`);
  assert.is(calls.filter(({ keys }) => keys.length === 1 && keys[0] === 'r-30').length, 1);
});

test('one that can never be stored does not take the others with it', async () => {
  for (const [status, code] of [
    [400, 'PropertyValueTooLarge'],
    [413, 'RequestBodyTooLarge'],
    [404, 'ResourceNotFound'],
    [409, 'EntityAlreadyExists'],
  ] as const) {
    const { write, run } = openTable({ atOnce: 1 });
    const written = Promise.allSettled(ids(9).map(async id => write(update(id))));
    await run(({ keys }) => (keys.includes('r-4') ? answer(status, code) : undefined));
    const refused = (await written).map(each => each.status === 'rejected');
    assert.equal(
      refused,
      ids(9).map(id => id === 'r-4'),
      code,
    );
  }
});

test('where storage is away, or its table, all that went together hear the same, in one call', async () => {
  for (const [status, code] of [
    [503, 'ServerBusy'],
    [403, 'AuthorizationFailure'],
    [404, 'TableNotFound'],
  ] as const) {
    const { calls, write, run } = openTable({ atOnce: 1 });
    const error = answer(status, code);
    const written = Promise.allSettled(ids(20).map(async id => write(update(id))));
    await run(({ keys }) => (keys.length > 1 ? error : undefined));
    const [alone, ...together] = await written;
    assert.is(alone?.status, 'fulfilled');
    assert.ok(together.every(each => each.status === 'rejected' && each.reason === error));
    assert.is(calls.length, 2);
  }
});

test('a call that hangs holds nobody up for long', async () => {
  const { calls, write } = openTable({ atOnce: 1, slowMs: 1 });
  const hanging = write(update('a'));
  const other = write(update('b'));
  while (calls.length < 2) await settled();
  calls[1]?.answer();
  assert.equal(await other, ['v-b']);
  calls[0]?.answer();
  assert.equal(await hanging, ['v-a']);
  // Its room was taken over when it hung; it is not given back twice.
  void write(update('c'));
  void write(update('d'));
  await settled();
  assert.is(calls.length, 3);
  calls[2]?.answer();
});

test('whatever comes in whatever order, each write has its own answer and no call breaks a rule', async () => {
  const writes = fc.array(
    fc.record({
      keys: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 }),
      pause: fc.boolean(),
    }),
    { maxLength: 120 },
  );
  const unlucky = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(writes, unlucky, fc.integer({ min: 1, max: 4 }), async (asked, bad, atOnce) => {
      const { calls, write, run } = openTable({ atOnce, slowMs: 60_000 });
      const badKeys = new Set(bad.map(String));
      const judge = ({ keys }: Call) => (keys.some(key => badKeys.has(key)) ? conflict : undefined);
      const done: Promise<PromiseSettledResult<readonly (string | undefined)[]>[]>[] = [];
      for (const { keys, pause } of asked) {
        const actions = keys.map(
          (key): TransactionAction => ['create', { partitionKey: 'p', rowKey: String(key) }],
        );
        done.push(Promise.allSettled([write(actions)]));
        if (pause) await settled();
      }
      await run(judge);
      const results = (await Promise.all(done)).flat();
      for (const [index, { keys }] of asked.entries()) {
        const result = results[index];
        if (keys.some(key => badKeys.has(String(key)))) assert.is(result?.status, 'rejected');
        else assert.equal(result, { status: 'fulfilled', value: keys.map(key => `v-${key}`) });
      }
      for (const { keys } of calls) {
        assert.ok(keys.length <= 100);
        assert.is(new Set(keys).size, keys.length, 'an entity twice');
      }
    }),
    { numRuns: 200 },
  );
});

test.run();
