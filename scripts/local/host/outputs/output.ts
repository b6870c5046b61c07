import type { OutputData } from '../core-types.js';
import type { Log } from '../log.js';
import type { Settings } from '../settings.js';
import type { BindingData } from './binding-data.js';

/** Where an output binding's values go. */
export interface Output {
  /** @throws when it could not be written: the invocation has then failed */
  write(data: OutputData, bindingData: BindingData): Promise<void>;
}

/** What outputs are made from. */
export interface OutputContext {
  /** Names the binding in errors, e.g. `The queue output of function "x"`. */
  readonly where: string;
  readonly settings: Settings;
  readonly messageEncoding: 'base64' | 'none';
  readonly log: Log;
  /** Told each queue that got a message, so that a listener of this host need not wait for its next poll. */
  readonly sentTo: (queueName: string) => void;
}

/** The bytes of a value that is written as it is. */
export function toBytes(data: OutputData): Buffer {
  if (data.bytes) return Buffer.from(data.bytes);
  return Buffer.from(data.string ?? data.json ?? String(data.int ?? data.double ?? ''), 'utf8');
}
