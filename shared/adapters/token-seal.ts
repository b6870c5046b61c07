import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { TokenSeal } from '../ports.js';

export interface TokenSealOptions {
  /** Keys of 32 bytes, newest first: the first one seals, any of them unseals, so that a key can be replaced. */
  readonly keys: readonly Uint8Array[];
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM, authenticated with the request id: a sealed token that is moved to another request's row is worthless.
 * A sealed token reads `v1.{key id}.{nonce}.{ciphertext}.{tag}`, each part in base64url.
 */
export function createTokenSeal({ keys }: TokenSealOptions): TokenSeal {
  const ring = keys.map(key => {
    if (key.length !== keyBytes) {
      throw new Error(`A key that seals tokens has ${keyBytes} bytes; this one has ${key.length}.`);
    }
    return { id: createHash('sha256').update(key).digest().subarray(0, 6).toString('base64url'), key };
  });
  const [newest] = ring;
  if (!newest) throw new Error('At least one key is needed to seal tokens.');

  return {
    seal: (requestId, token) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', newest.key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(requestId, 'utf8'));
      const ciphertext = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()]);
      const parts = [nonce, ciphertext, cipher.getAuthTag()].map(part => part.toString('base64url'));
      return ['v1', newest.id, ...parts].join('.');
    },

    unseal: (requestId, sealed) => {
      const [version, keyId, ...rest] = sealed.split('.');
      const [nonce, ciphertext, tag] = rest.map(strictBase64Url);
      const found = ring.find(({ id }) => id === keyId);
      if (version !== 'v1' || rest.length !== 3 || !found) return undefined;
      if (nonce?.length !== nonceBytes || !ciphertext || tag?.length !== tagBytes) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', found.key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(requestId, 'utf8'));
      decipher.setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/** Node.js decodes leniently; here a text that was touched in any way must not pass for the one we wrote. */
function strictBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
