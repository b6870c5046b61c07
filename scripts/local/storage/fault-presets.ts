import { randomUUID } from 'node:crypto';
import type { Preset, Presets } from '../faults/rule.js';

/** An error as Azure Storage sends it: XML from blobs and queues, JSON from tables. */
function error(about: string, status: number, code: string, sentence: string): Preset {
  const message = (): string => `${sentence}\nRequestId:${randomUUID()}\nTime:${new Date().toISOString()}`;
  return {
    about,
    rule: { call: '*', status, headers: { 'x-ms-error-code': code, 'x-ms-version': '2024-11-04' } },
    body: call =>
      call.includes(' table/')
        ? { 'odata.error': { code, message: { lang: 'en-US', value: message() } } }
        : `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message()}</Message></Error>`,
  };
}

const serverBusy = error(
  '503 ServerBusy: the account is over its share.',
  503,
  'ServerBusy',
  'The server is currently unable to receive requests. Please retry your request.',
);

export const storagePresets: Presets = {
  serverBusy,
  serverBusyRetryAfter: {
    ...serverBusy,
    about: '503 ServerBusy with Retry-After: 1.',
    rule: { ...serverBusy.rule, headers: { ...serverBusy.rule.headers, 'retry-after': '1' } },
  },
  internalError: error(
    '500 InternalError.',
    500,
    'InternalError',
    'Server encountered an internal error. Please try again after some time.',
  ),
  operationTimedOut: error(
    '500 OperationTimedOut.',
    500,
    'OperationTimedOut',
    'Operation could not be completed within the specified time.',
  ),
  authenticationFailed: error(
    '403: a wrong key.',
    403,
    'AuthenticationFailed',
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
  ),
};
