import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenSeal } from '../../shared/adapters/token-seal.js';

const test = suite('token seal');
const key = randomBytes(32);
const seal = createTokenSeal({ keys: [key] });
const token = 'eyJ0eXAi.canary-token.söhne';

test('gives back what it sealed, for the same request', () => {
  assert.is(seal.unseal('r-1', seal.seal('r-1', token)), token);
  assert.is(seal.unseal('r-1', seal.seal('r-1', '')), '');
});

test('never shows the token, nor the same text twice', () => {
  const [first, second] = [seal.seal('r-1', token), seal.seal('r-1', token)];
  assert.is.not(first, second);
  assert.not.match(first, /canary/);
  assert.not.match(Buffer.from(first.split('.')[3] ?? '', 'base64url').toString('latin1'), /canary/);
});

test('is worthless for another request', () => {
  assert.is(seal.unseal('r-2', seal.seal('r-1', token)), undefined);
});

test('does not open once any character was changed, added or taken away', () => {
  const sealed = seal.seal('r-1', token);
  for (let index = 0; index < sealed.length; index += 1) {
    const other = sealed[index] === 'A' ? 'B' : 'A';
    const changed = sealed.slice(0, index) + other + sealed.slice(index + 1);
    assert.is(seal.unseal('r-1', changed), undefined, `character ${index} changed`);
    assert.is(seal.unseal('r-1', sealed.slice(0, index)), undefined, `cut at ${index}`);
  }
  for (const text of ['', '.', 'v1', `${sealed}A`, `${sealed}=`, `${sealed}.`, `v2${sealed.slice(2)}`]) {
    assert.is(seal.unseal('r-1', text), undefined, text);
  }
});

test('opens what an older key sealed and seals with the newest', () => {
  const newKey = randomBytes(32);
  const rotated = createTokenSeal({ keys: [newKey, key] });
  assert.is(rotated.unseal('r-1', seal.seal('r-1', token)), token);
  assert.is(createTokenSeal({ keys: [newKey] }).unseal('r-1', rotated.seal('r-1', token)), token);
  assert.is(seal.unseal('r-1', rotated.seal('r-1', token)), undefined);
});

test('refuses to work with a key of the wrong length or with none, without telling the key', () => {
  assert.throws(() => createTokenSeal({ keys: [new Uint8Array(16)] }), /32 bytes/);
  assert.throws(() => createTokenSeal({ keys: [] }), /key/);
});

test.run();
