import type { DrainableQueue, HeldMessage } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

export interface FakeDrainableQueue extends DrainableQueue, Knobs<DrainableQueue> {
  /** Has everything that is held, and was not settled, come back, as after a minute. */
  readonly letGo: () => void;
}

/** @param texts what lies in the queue and is not held, oldest first; the test may look and put in. */
export function createFakeDrainableQueue(texts: string[] = []): FakeDrainableQueue {
  const held = new Map<string, HeldMessage>();
  /** Ids of what was given back, by text: a message keeps its id. */
  const ids = new Map<string, string[]>();
  let count = 0;
  const giveBack = ({ receipt }: HeldMessage): void => {
    const message = held.get(receipt);
    if (!held.delete(receipt) || !message) return;
    texts.push(message.text);
    ids.set(message.text, [...(ids.get(message.text) ?? []), message.messageId]);
  };
  const queue: DrainableQueue = {
    receive: async () =>
      texts.splice(0, 32).map(text => {
        count += 1;
        const messageId = ids.get(text)?.shift() ?? `message-${count}`;
        const message = { messageId, text, receipt: `receipt-${count}` };
        held.set(message.receipt, message);
        return message;
      }),
    remove: async ({ receipt }) => void held.delete(receipt),
    giveBack: async message => giveBack(message),
  };
  return withKnobs(queue, {
    letGo: () => {
      for (const message of held.values()) giveBack(message);
    },
  });
}
