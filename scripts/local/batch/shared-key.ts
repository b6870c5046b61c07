import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { BatchError } from './errors.js';

/** What is signed of a request: its verb, its URL as it came (path and query), its headers. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface AccountKey {
  readonly account: string;
  /** Base64, as the client takes it. */
  readonly key: string;
}

/** Requests whose date differs more than this from the server's clock are refused as replays. */
const clockSkewMs = 15 * 60_000;

const header = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
};

/** The text that both sides sign. */
function stringToSign({ method, url, headers }: SignedRequest, account: string): string {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const length = header(headers, 'content-length');
  const standard = [
    'content-encoding',
    'content-language',
    'content-length',
    'content-md5',
    'content-type',
    'date',
    'if-modified-since',
    'if-match',
    'if-none-match',
    'if-unmodified-since',
    'range',
  ].map(name => {
    if (name !== 'content-length') return header(headers, name);
    // HTTP libraries add `Content-Length: 0` after signing; only a bodyless POST signs it.
    return length === '' || length === '0' ? (method === 'POST' ? '0' : '') : length;
  });
  const custom = Object.keys(headers)
    .filter(name => name.startsWith('ocp-') && header(headers, name) !== '')
    .toSorted()
    .map(name => `${name}:${header(headers, name)}\n`);
  const query = [...new Set(searchParams.keys())]
    .toSorted()
    .map(name => `\n${name}:${searchParams.get(name) ?? ''}`);
  return `${[method, ...standard].join('\n')}\n${custom.join('')}/${account}${rawPath(url) || pathname}${query.join('')}`;
}

/** The path as it was sent: parsing would rewrite what the client signed. */
const rawPath = (url: string): string => url.split(/[?#]/, 1)[0] ?? '';

const sign = (request: SignedRequest, { account, key }: AccountKey): string =>
  createHmac('sha256', Buffer.from(key, 'base64'))
    .update(stringToSign(request, account), 'utf8')
    .digest('base64');

/**
 * Refuses a request that was not signed with the account's key, or long ago.
 *
 * @throws BatchError `AuthenticationFailed` (403).
 */
export function authenticate(request: SignedRequest, account: AccountKey, now: number): void {
  const authorization = header(request.headers, 'authorization');
  if (!authorization) throw refused('The Authorization header is missing.');
  const match = /^SharedKey ([^:]+):(\S+)$/.exec(authorization);
  if (!match) throw refused('The Authorization header is not "SharedKey account:signature".');
  const [, name = '', signature = ''] = match;
  if (name.toLowerCase() !== account.account.toLowerCase()) {
    throw refused(`The account "${name}" is not served here.`);
  }
  const dated = Date.parse(header(request.headers, 'ocp-date') || header(request.headers, 'date'));
  if (Number.isNaN(dated))
    throw refused('The request has neither an ocp-date nor a Date header that can be read.');
  if (Math.abs(now - dated) > clockSkewMs) {
    throw refused('The request is dated more than 15 minutes from the server clock.');
  }
  const given = Buffer.from(signature, 'base64');
  const expected = Buffer.from(sign(request, { account: name, key: account.key }), 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refused('The MAC signature found in the HTTP request is not the same as any computed signature.');
  }
}

const refused = (detail: string): BatchError =>
  new BatchError('AuthenticationFailed', [{ key: 'AuthenticationErrorDetail', value: detail }]);
