import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import type { RequestQueue } from '../../shared/ports.js';

export interface QueueUnderTest {
  readonly queue: RequestQueue;
  /** Takes all messages out of a queue, oldest first. */
  readonly take: (queueName: 'requests' | 'deadLetters' | 'replies') => Promise<readonly string[]>;
}

const Bundle = z.strictObject({ version: z.literal(1), requests: z.array(z.unknown()) });

/** The messages that were sent, each by itself: several may have gone together. */
export function unbundled(texts: readonly string[]): readonly string[] {
  return texts.flatMap(text => {
    const bundle = Bundle.safeParse(JSON.parse(text));
    return bundle.success ? bundle.data.requests.map(each => JSON.stringify(each)) : [text];
  });
}

/** @param make queues that are empty or missing. Its reply queue is named `replies`. */
export function requestQueueContract(name: string, make: () => Promise<QueueUnderTest>): void {
  const test = suite(`request queue: ${name}`);

  test('delivers each message to its own queue, character for character', async () => {
    const { queue, take } = await make();
    const awkward = JSON.stringify({
      text: '<a href="x">&amp; \u0001 \r\n\t söhne 🙂 \uFFFE \uFFFF',
      empty: '',
    });
    await queue.send(awkward);
    await queue.deadLetter('{"dead":"letter"}');
    await queue.reply('replies', '{"state":"online"}');
    const [sent] = await take('requests');
    assert.equal(JSON.parse(sent ?? ''), JSON.parse(awkward));
    assert.equal(await take('deadLetters'), ['{"dead":"letter"}']);
    assert.equal(await take('replies'), ['{"state":"online"}']);
    assert.equal(await take('requests'), []);
  });

  test('keeps every message of many senders', async () => {
    const { queue, take } = await make();
    const sent = Array.from({ length: 20 }, (_, index) => `{"index":${index}}`);
    await Promise.all(sent.map(message => queue.send(message)));
    assert.equal(unbundled(await take('requests')).toSorted(), sent.toSorted());
  });

  test('sends each reply and each dead letter by itself, however many at once', async () => {
    const { queue, take } = await make();
    const messages = Array.from({ length: 20 }, (_, index) => `{"index":${index}}`);
    await Promise.all(messages.map(message => queue.reply('replies', message)));
    await Promise.all(messages.map(message => queue.deadLetter(message)));
    assert.equal((await take('replies')).toSorted(), messages.toSorted());
    assert.equal((await take('deadLetters')).toSorted(), messages.toSorted());
  });

  test('takes a message of 64 KiB and says of a larger one how large it may be', async () => {
    const { queue, take } = await make();
    const largest = `"${'a'.repeat(64 * 1024 - 2)}"`;
    await queue.send(largest);
    assert.equal(await take('requests'), [largest]);
    try {
      await queue.deadLetter(`"${'ä'.repeat(32 * 1024)}"`);
    } catch (error) {
      assert.ok(error instanceof Error);
      assert.is(error.name, 'MessageTooLargeError');
      assert.match(error.message, /65538 bytes.*65536/);
      return;
    }
    assert.unreachable('a message that is too large was taken');
  });

  test.run();
}
