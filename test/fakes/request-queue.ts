import type { RequestQueue } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

export interface FakeRequestQueue extends RequestQueue, Knobs<RequestQueue> {
  readonly sent: string[];
  readonly deadLetters: string[];
  readonly replies: { readonly queue: string; readonly message: string }[];
}

export function createFakeRequestQueue(): FakeRequestQueue {
  const sent: string[] = [];
  const deadLetters: string[] = [];
  const replies: { queue: string; message: string }[] = [];
  const queue: RequestQueue = {
    send: async message => void sent.push(fitting(message)),
    deadLetter: async message => void deadLetters.push(fitting(message)),
    reply: async (name, message) => void replies.push({ queue: name, message: fitting(message) }),
  };
  return withKnobs(queue, { sent, deadLetters, replies });
}

const maxBytes = 65_536;

function fitting(message: string): string {
  const bytes = Buffer.byteLength(message);
  if (bytes <= maxBytes) return message;
  throw Object.assign(new Error(`A message of ${bytes} bytes does not fit; a queue takes ${maxBytes}.`), {
    name: 'MessageTooLargeError',
  });
}
