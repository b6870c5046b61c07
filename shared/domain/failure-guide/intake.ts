import { type FailureEntry, follows } from './entry.js';

/** Queue messages of other systems. */
export const intakeFailures = {
  MessageNotJson: {
    title: 'The queue message is not JSON',
    cause: 'A message in agent-requests is neither JSON text nor base64 of it.',
    remedy: 'Send JSON text, or base64 of JSON text.',
    who: 'sender of the message',
    follows: follows.messageKept,
  },
  MessageVersionUnknown: {
    title: 'The version of the queue message is not known',
    cause: 'The message has no version, or one that this app does not know.',
    remedy: 'Send the message with "version": 1.',
    who: 'sender of the message',
    follows: follows.messageKept,
  },
  MessageInvalid: {
    title: 'The queue message is not as it should be',
    cause: "Fields of it are missing, unknown or malformed; the failure's message names all of them.",
    remedy: 'Correct the fields that are named, and send the message anew.',
    who: 'sender of the message',
    follows: follows.messageKept,
  },
  DeliveryFailed: {
    title: 'The queue message could not be taken in',
    cause: 'The message was delivered five times in vain, e.g. because storage was away for long.',
    remedy: 'Mend what the log of function agentRequests tells of, and redrive the request.',
    who: 'platform team',
    follows: follows.messageKept,
  },
} satisfies Readonly<Record<string, FailureEntry>>;
