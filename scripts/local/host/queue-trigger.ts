import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { TypedData } from './core-types.js';
import type { QueueConfig } from './host-config.js';
import { errorMessage, type Log } from './log.js';
import { isTransient, openQueue, sleep, storageStatus } from './storage.js';

/**
 * How long a received message stays hidden while its function runs; renewed in time while it runs longer.
 * Azure hides for 10 minutes, so a killed host there leaves its messages alone that long; here it goes on soon.
 */
const leaseSeconds = 6;
const renewEveryMs = 2_000;
const minimumPollMs = 100;
/** A message may wait so long for callers who wait themselves. */
const longestYieldMs = 500;

export interface QueueListenerOptions {
  readonly functionName: string;
  readonly queueName: string;
  readonly connection: string;
  readonly config: QueueConfig;
  /** The function takes bytes (`dataType: "binary"`): they must not be parsed on their way. */
  readonly binary: boolean;
  readonly log: Log;
  /** Resolves when nobody waits for what matters more than messages, or after `ms`. */
  untilCalm(ms: number): Promise<void>;
  /** Runs the function on one message; rejects when it failed. */
  run(data: TypedData, triggerMetadata: Readonly<Record<string, TypedData>>): Promise<void>;
}

/**
 * One function's listener on one queue: receives up to `batchSize` messages when no more than `newBatchThreshold`
 * are being worked on, deletes what succeeded, hides what failed for `visibilityTimeout`, and moves a message to
 * `<queue>-poison` once it has failed `maxDequeueCount` times.
 */
export class QueueListener {
  readonly queueName: string;
  readonly #queue: QueueClient;
  readonly #poison: QueueClient;
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #wake: (() => void) | undefined;
  #nudged = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: QueueListenerOptions) {
    this.queueName = options.queueName;
    this.#queue = openQueue(options.connection, options.queueName);
    this.#poison = openQueue(options.connection, `${options.queueName}-poison`);
  }

  start(): void {
    this.#loop = this.#poll();
  }

  /** Stops receiving; resolves when the messages being worked on are settled. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#loop;
    await Promise.all(this.#working);
  }

  /** Something may have arrived: poll now and not at the end of the pause. */
  nudge(): void {
    this.#nudged = true;
    this.#wake?.();
  }

  async #poll(): Promise<void> {
    const { config } = this.options;
    const { signal } = this.#stop;
    await this.#create();
    let pause = minimumPollMs;
    while (!signal.aborted) {
      if (this.#working.size > config.newBatchThreshold) {
        await this.#pause(60_000);
        continue;
      }
      await this.options.untilCalm(longestYieldMs);
      this.#nudged = false;
      let received = 0;
      try {
        const { receivedMessageItems } = await this.#queue.receiveMessages({
          numberOfMessages: config.batchSize,
          visibilityTimeout: leaseSeconds,
        });
        received = receivedMessageItems.length;
        for (const message of receivedMessageItems) this.#take(message);
      } catch (error) {
        if (signal.aborted) break;
        this.#tell('warning', `could not be read and is tried again: ${errorMessage(error)}`);
        if (storageStatus(error) === 404) await this.#create();
      }
      if (received > 0) {
        pause = minimumPollMs;
        continue;
      }
      if (this.#nudged) {
        pause = minimumPollMs;
        await sleep(minimumPollMs, signal);
        continue;
      }
      await this.#pause(pause);
      pause = this.#nudged
        ? minimumPollMs
        : Math.min(pause * 2, Math.max(config.maxPollingInterval, minimumPollMs));
    }
  }

  async #pause(ms: number): Promise<void> {
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    if (!this.#stop.signal.aborted) await sleep(ms, waking.signal);
    this.#wake = undefined;
  }

  async #create(): Promise<void> {
    for (let wait = minimumPollMs; !this.#stop.signal.aborted; wait = Math.min(wait * 2, 5_000)) {
      try {
        await this.#queue.createIfNotExists();
        return;
      } catch (error) {
        this.#tell('warning', `could not be opened and is tried again: ${errorMessage(error)}`);
        await sleep(wait, this.#stop.signal);
      }
    }
  }

  #tell(level: 'warning' | 'error' | 'information', what: string): void {
    this.options.log.write(
      level,
      'Host.Queue',
      `Queue ${this.queueName} of ${this.options.functionName} ${what}`,
    );
  }

  #take(message: DequeuedMessageItem): void {
    const work = this.#process(message)
      // The message becomes visible again when its lease is over: nothing is lost.
      .catch((error: unknown) =>
        this.#tell('warning', `could not settle message ${message.messageId}: ${errorMessage(error)}`),
      )
      .finally(() => {
        this.#working.delete(work);
        this.#wake?.();
      });
    this.#working.add(work);
  }

  async #process(message: DequeuedMessageItem): Promise<void> {
    const { config } = this.options;
    const bytes =
      config.messageEncoding === 'base64'
        ? decodeBase64(message.messageText)
        : Buffer.from(message.messageText);
    if (bytes === undefined) {
      this.#tell(
        'error',
        `holds message ${message.messageId}, which is not base64; it goes to the poison queue.`,
      );
      await this.#toPoison(message, message.popReceipt);
      return;
    }
    if (message.dequeueCount > config.maxDequeueCount) {
      await this.#toPoison(message, message.popReceipt);
      return;
    }
    const lease = new Lease(this.#queue, message);
    let failed = false;
    try {
      const text = bytes.toString('utf8');
      await this.options.run(
        this.options.binary ? { bytes } : { string: text },
        triggerMetadata(message, text),
      );
    } catch {
      failed = true;
    }
    const popReceipt = await lease.end();
    if (!failed) {
      await this.#delete(message.messageId, popReceipt);
    } else if (message.dequeueCount >= config.maxDequeueCount) {
      await this.#toPoison(message, popReceipt);
    } else {
      const seconds = Math.ceil(config.visibilityTimeout / 1000);
      await this.#queue.updateMessage(message.messageId, popReceipt, message.messageText, seconds);
      if (seconds === 0) this.nudge();
      else setTimeout(() => this.nudge(), seconds * 1000 + 20).unref();
    }
  }

  async #toPoison(message: DequeuedMessageItem, popReceipt: string): Promise<void> {
    await this.#poison.createIfNotExists();
    await this.#poison.sendMessage(message.messageText, { messageTimeToLive: -1 });
    await this.#delete(message.messageId, popReceipt);
    this.#tell(
      'warning',
      `had message ${message.messageId} fail too often; it is in ${this.queueName}-poison.`,
    );
  }

  async #delete(messageId: string, popReceipt: string): Promise<void> {
    for (let wait = minimumPollMs; ; wait = Math.min(wait * 2, 2_000)) {
      try {
        await this.#queue.deleteMessage(messageId, popReceipt);
        return;
      } catch (error) {
        if (storageStatus(error) === 404) return;
        if (!isTransient(error) || this.#stop.signal.aborted) throw error;
        await sleep(wait, this.#stop.signal);
      }
    }
  }
}

/** Keeps a message hidden while its function runs. Each renewal changes the receipt, so they never overlap. */
class Lease {
  #popReceipt: string;
  #renewal: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly queue: QueueClient,
    private readonly message: DequeuedMessageItem,
  ) {
    this.#popReceipt = message.popReceipt;
    this.#timer = setInterval(() => {
      this.#renewal = this.#renewal.then(() => this.#renew());
    }, renewEveryMs);
  }

  async #renew(): Promise<void> {
    try {
      const { messageId, messageText } = this.message;
      const answer = await this.queue.updateMessage(messageId, this.#popReceipt, messageText, leaseSeconds);
      this.#popReceipt = answer.popReceipt ?? this.#popReceipt;
    } catch {
      // Tried again at the next tick; a message whose lease runs out is delivered again, as its function must bear.
    }
  }

  async end(): Promise<string> {
    clearInterval(this.#timer);
    await this.#renewal;
    return this.#popReceipt;
  }
}

function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replace(/\s/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}

const json = (value: unknown): TypedData => ({ json: JSON.stringify(value) });

function triggerMetadata(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  return {
    QueueTrigger: { string: text },
    Id: json(message.messageId),
    DequeueCount: json(message.dequeueCount),
    InsertionTime: json(message.insertedOn.toISOString()),
    ExpirationTime: json(message.expiresOn.toISOString()),
    NextVisibleTime: json(message.nextVisibleOn.toISOString()),
    PopReceipt: json(message.popReceipt),
  };
}
