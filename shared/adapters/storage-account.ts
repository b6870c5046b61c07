import type { TokenCredential } from '@azure/identity';

/** How a storage account is reached: by its connection string, or at a service's URI with an identity. */
export type StorageAccount =
  | { readonly connectionString: string }
  | { readonly serviceUri: string; readonly credential: TokenCredential };

/**
 * Short, because the caller retries too and people wait: intake must answer within 3 s even when storage stumbles.
 * In milliseconds.
 */
export const storageRetries = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 } as const;
