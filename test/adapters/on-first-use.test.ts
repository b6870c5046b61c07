import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { onFirstUse, portOnFirstUse } from '../../shared/adapters/on-first-use.js';

interface Shelf {
  put(name: string, count: number): Promise<string>;
  take(name: string): Promise<void>;
  remembered(name: string): number | undefined;
}

/** An adapter whose methods need their `this`, and a count of its loads. */
function shelfLoader(fails = 0) {
  const loads = { count: 0 };
  class Adapter implements Shelf {
    #kept = new Map<string, number>();
    async put(name: string, count: number): Promise<string> {
      this.#kept.set(name, count);
      return `${count} ${name}`;
    }
    async take(name: string): Promise<void> {
      if (!this.#kept.delete(name)) throw new RangeError(`There is no ${name}.`);
    }
    remembered(name: string): number | undefined {
      return this.#kept.get(name);
    }
  }
  const load = async (): Promise<Shelf> => {
    loads.count += 1;
    if (loads.count <= fails) throw new Error(`load ${loads.count} failed`);
    return new Adapter();
  };
  return { loads, shelf: portOnFirstUse(load, { remembered: () => undefined }) };
}

const failure = async (action: Promise<unknown>): Promise<unknown> =>
  action.then(
    () => assert.unreachable('it should have failed'),
    (error: unknown) => error,
  );

const port = suite('a port that is loaded on first use');

port('loads nothing until it is called, and once however many call at the same moment', async () => {
  const { loads, shelf } = shelfLoader();
  assert.is(await Promise.resolve(shelf), shelf);
  assert.is(loads.count, 0);
  assert.equal(await Promise.all([shelf.put('pens', 2), shelf.put('cups', 3)]), ['2 pens', '3 cups']);
  await shelf.take('cups');
  assert.is(loads.count, 1);
});

port('passes on what its adapter throws', async () => {
  const { shelf } = shelfLoader();
  assert.instance(await failure(shelf.take('pens')), RangeError);
});

port('answers at once what can be answered without the adapter, and with it once it is there', async () => {
  const { loads, shelf } = shelfLoader();
  assert.is(shelf.remembered('pens'), undefined);
  assert.is(loads.count, 0);
  await shelf.put('pens', 2);
  assert.is(shelf.remembered('pens'), 2);
});

port('whose load failed is loaded again by the next call', async () => {
  const { loads, shelf } = shelfLoader(1);
  const [first, second] = await Promise.all([failure(shelf.put('pens', 1)), failure(shelf.put('pens', 1))]);
  assert.match(String(first), 'load 1 failed');
  assert.is(second, first);
  assert.is(await shelf.put('pens', 2), '2 pens');
  assert.is(loads.count, 2);
});

port.run();

const value = suite('onFirstUse');

value('gives everybody the same', async () => {
  let loads = 0;
  const get = onFirstUse(async () => {
    loads += 1;
    return { loads };
  });
  const [first, second] = await Promise.all([get(), get()]);
  assert.is(first, second);
  assert.is(await get(), first);
  assert.is(loads, 1);
});

value.run();
