import { BatchSharedKeyCredentials } from '@azure/batch';
import { WebResource } from '@azure/ms-rest-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { BatchError } from '../../../scripts/local/batch/errors.js';
import { authenticate, type SignedRequest } from '../../../scripts/local/batch/shared-key.js';

const sharedKey = suite('shared key');

const account = { account: 'localbatch', key: Buffer.from('a key of some length').toString('base64') };
const now = Date.parse('2026-01-31T12:00:00Z');

/** A request as the client signs it and as its HTTP library then sends it. */
async function signed(
  method: WebResource['method'],
  path: string,
  body?: string,
  headers: Record<string, string> = {},
  key = account.key,
): Promise<SignedRequest> {
  const resource = new WebResource(
    `http://127.0.0.1:1234${path}`,
    method,
    body,
    {},
    {
      'ocp-date': new Date(now).toUTCString(),
      ...headers,
    },
  );
  await new BatchSharedKeyCredentials(account.account, key).signRequest(resource);
  const length =
    body === undefined
      ? method === 'GET'
        ? {}
        : { 'content-length': '0' }
      : { 'content-length': String(Buffer.byteLength(body)) };
  return { method, url: path, headers: { ...resource.headers.rawHeaders(), ...length } };
}

const refusal = (request: SignedRequest, at = now): string => {
  try {
    authenticate(request, account, at);
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    assert.is(error.code, 'AuthenticationFailed');
    assert.is(error.status, 403);
    return error.values[0]?.value ?? '';
  }
  return '';
};

const requests: [says: string, request: Promise<SignedRequest>][] = [
  [
    'a list with a filter',
    signed('GET', "/jobs/j/tasks?api-version=2022-10-01.16.0&%24filter=state%20eq%20'active'&maxresults=10"),
  ],
  [
    'a post with a body',
    signed('POST', '/jobs?api-version=2025-06-01', '{"id":"ü"}', {
      'content-type': 'application/json; odata=minimalmetadata; charset=utf-8',
    }),
  ],
  ['a post without a body', signed('POST', '/jobs/j/tasks/t/terminate?api-version=2025-06-01')],
  ['a delete', signed('DELETE', '/jobs/j?api-version=2025-06-01')],
  [
    'an encoded path',
    signed('GET', '/jobs/j/tasks/t/files/wd%2Fa%20b.txt?api-version=2025-06-01', undefined, {
      'ocp-range': 'bytes=0-9',
    }),
  ],
  [
    'a condition',
    signed('DELETE', '/jobs/j?api-version=2025-06-01', undefined, {
      'if-match': '0x1',
      'if-modified-since': 'Sat, 31 Jan 2026 12:00:00 GMT',
    }),
  ],
];
for (const [says, request] of requests) {
  sharedKey(`${says}, as the client signs it, is accepted`, async () => {
    assert.is(refusal(await request), '');
  });
}

sharedKey('another key is refused', async () => {
  const request = await signed(
    'GET',
    '/jobs?api-version=2025-06-01',
    undefined,
    {},
    Buffer.from('other').toString('base64'),
  );
  assert.match(refusal(request), /MAC signature/);
});

sharedKey('a changed query, path or length is refused', async () => {
  const request = await signed('POST', '/jobs?api-version=2025-06-01', '{}');
  assert.match(refusal({ ...request, url: '/jobs?api-version=2025-06-01&timeout=1' }), /MAC signature/);
  assert.match(refusal({ ...request, url: '/pools?api-version=2025-06-01' }), /MAC signature/);
  assert.match(
    refusal({ ...request, headers: { ...request.headers, 'content-length': '3' } }),
    /MAC signature/,
  );
});

sharedKey('a request from more than 15 minutes away is refused, on either side', async () => {
  const request = await signed('GET', '/jobs?api-version=2025-06-01');
  assert.is(refusal(request, now + 14 * 60_000), '');
  assert.is(refusal(request, now - 14 * 60_000), '');
  assert.match(refusal(request, now + 16 * 60_000), /15 minutes/);
  assert.match(refusal(request, now - 16 * 60_000), /15 minutes/);
});

sharedKey('no, another or a broken authorization is refused', async () => {
  const { headers, ...request } = await signed('GET', '/jobs?api-version=2025-06-01');
  const { authorization, ...others } = headers;
  assert.type(authorization, 'string');
  assert.match(refusal({ ...request, headers: others }), /missing/);
  assert.match(refusal({ ...request, headers: { ...others, authorization: 'Bearer abc' } }), /SharedKey/);
  assert.match(
    refusal({ ...request, headers: { ...others, authorization: 'SharedKey other:abc=' } }),
    /"other"/,
  );
});

sharedKey('a signature that is cut, lengthened, empty or of another case is refused', async () => {
  const { headers, ...request } = await signed('GET', '/jobs?api-version=2025-06-01');
  const [name = '', signature = ''] = String(headers['authorization']).split(/:(.*)/s);
  const bytes = Buffer.from(signature, 'base64');
  const others = [
    '',
    'A',
    bytes.subarray(0, 31).toString('base64'),
    Buffer.concat([bytes, Buffer.from([0])]).toString('base64'),
    Buffer.alloc(32).toString('base64'),
    signature.toLowerCase(),
    signature.split('').toReversed().join(''),
    '漢',
  ];
  for (const other of others) {
    const authorization = `${name}:${other}`;
    assert.is.not(refusal({ ...request, headers: { ...headers, authorization } }), '', other);
  }
});

sharedKey.run();
