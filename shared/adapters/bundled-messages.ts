import { fewAtOnce } from './few-at-once.js';

/** Two, so that one that is slow holds nobody up; more would only make the bundles smaller. */
const sendsAtOnce = 2;
const messagesAtMost = 16;
/** Well under what a queue takes: a dead letter carries it with every quote escaped, and the failure beside it. */
const bytesAtMost = 40 * 1024;
const usualPatienceMs = 1_000;

interface Waiting {
  readonly message: string;
  readonly bytes: number;
  readonly sent: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Sends a message at once while few are on their way. Those that come meanwhile gather, and go together in one as soon
 * as an earlier one has arrived: `{"version":1,"requests":[…]}`, in the order in which they came.
 *
 * Our own and no library's: what may go together is a matter of bytes, and only those that gather go together.
 *
 * @param put sends one queue message.
 * @returns sends one message, which is the JSON text of an object; it fails with whatever its bundle fails with.
 */
export function bundleMessages(
  put: (message: string) => Promise<void>,
  patienceMs = usualPatienceMs,
): (message: string) => Promise<void> {
  const waiting: Waiting[] = [];
  const sendNext = fewAtOnce({ atOnce: sendsAtOnce, patienceMs }, () =>
    waiting.length === 0 ? undefined : send(waiting.splice(0, howMany(waiting))),
  );

  async function send(bundle: readonly Waiting[]): Promise<void> {
    try {
      await put(textOf(bundle));
      for (const { sent } of bundle) sent();
    } catch (error) {
      for (const { failed } of bundle) failed(error);
    }
  }

  return message =>
    new Promise((sent, failed) => {
      waiting.push({ message, bytes: Buffer.byteLength(message), sent, failed });
      sendNext();
    });
}

function howMany(waiting: readonly Waiting[]): number {
  let bytes = 0;
  let count = 0;
  for (const each of waiting) {
    bytes += each.bytes + 1;
    if (count > 0 && (bytes > bytesAtMost || count === messagesAtMost)) break;
    count += 1;
  }
  return count;
}

const textOf = (bundle: readonly Waiting[]): string => {
  const texts = bundle.map(({ message }) => message);
  return texts.length === 1 ? texts.join('') : `{"version":1,"requests":[${texts.join(',')}]}`;
};
