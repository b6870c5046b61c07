import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DrainableQueue, HeldMessage } from '../../shared/ports.js';
import { fail } from './fail.js';

export interface DrainableQueueUnderTest {
  readonly queue: DrainableQueue;
  readonly put: (texts: readonly string[]) => Promise<void>;
}

/** @param make a queue of its own each time, empty or missing. */
export function drainableQueueContract(name: string, make: () => Promise<DrainableQueueUnderTest>): void {
  const test = suite(`drainable queue: ${name}`);

  const receiveAll = async (queue: DrainableQueue): Promise<readonly HeldMessage[]> => {
    const all: HeldMessage[] = [];
    for (;;) {
      const held = await queue.receive();
      if (held.length === 0) return all;
      assert.ok(held.length <= 32);
      all.push(...held);
    }
  };
  const texts = (held: readonly HeldMessage[]): readonly string[] => held.map(({ text }) => text).toSorted();

  test('that is empty or missing gives nothing', async () => {
    const { queue } = await make();
    assert.equal(await queue.receive(), []);
  });

  test('gives each message once while it is held, and what was given back once more, unchanged', async () => {
    const { queue, put } = await make();
    const awkward = '{"text":"<a href=\'x\'>&amp; söhne 🙂","more":"  "}';
    const put40 = [awkward, ...Array.from({ length: 39 }, (_, index) => `message ${index}`)];
    await put(put40);
    const held = await receiveAll(queue);
    assert.equal(texts(held), put40.toSorted());
    const odd = held.find(({ text }) => text === awkward) ?? fail('it is missing');
    await queue.giveBack(odd);
    const again = await receiveAll(queue);
    assert.equal(texts(again), [awkward]);
    assert.is(again[0]?.messageId, odd.messageId, 'it keeps its id');
  });

  test('removes for good', async () => {
    const { queue, put } = await make();
    await put(['one', 'two']);
    for (const message of await receiveAll(queue)) {
      if (message.text === 'one') await queue.remove(message);
      else await queue.giveBack(message);
    }
    assert.equal(texts(await receiveAll(queue)), ['two']);
  });

  test('does not mind what is gone, or held by another since', async () => {
    const { queue, put } = await make();
    await put(['one']);
    const [first] = await receiveAll(queue);
    if (!first) fail('nothing was received');
    await queue.giveBack(first);
    const [second] = await receiveAll(queue);
    if (!second) fail('nothing was given back');
    // It is not ours any more: neither may take it from whoever has it now.
    await queue.remove(first);
    await queue.giveBack(first);
    assert.equal(await queue.receive(), []);
    await queue.giveBack(second);
    const [third] = await receiveAll(queue);
    if (!third) fail('it was removed by a receipt that was over');
    await queue.remove(third);
    await queue.remove(third);
    await queue.giveBack(third);
    assert.equal(await queue.receive(), []);
  });

  test.run();
}
