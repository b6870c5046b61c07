import type { AccessToken, TokenCredential } from '@azure/identity';

/** Ample for a call that takes its token now and is retried for a while. */
const refreshBeforeExpiryMs = 5 * 60_000;

/**
 * Keeps a token until shortly before it expires: the Batch client asks for one with every single request.
 * It serves one service, so one token is all there is to keep.
 */
export function cachedCredential(credential: TokenCredential): TokenCredential {
  let cached: AccessToken | undefined;
  let asking: Promise<AccessToken | null> | undefined;
  return {
    getToken: async (scopes, options) => {
      if (cached && cached.expiresOnTimestamp - refreshBeforeExpiryMs > Date.now()) return cached;
      asking ??= credential.getToken(scopes, options).finally(() => {
        asking = undefined;
      });
      const token = await asking;
      if (token) cached = token;
      return token;
    },
  };
}
