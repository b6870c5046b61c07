import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import type { TokenCredential } from '@azure/identity';
import { type AbortSignalLike, AzureIdentityCredentialAdapter } from '@azure/ms-rest-js';
import { type Stage, TransientError } from '../domain/failure.js';
import { batchFacts, classifyBatchError } from './batch-errors.js';
import { cachedCredential } from './cached-credential.js';
import { keptConnections } from './kept-connections.js';
import { userAgent } from './product.js';

export interface BatchClientOptions {
  /** E.g. `https://account.region.batch.azure.com`. */
  readonly accountUrl: string;
  readonly auth:
    | { readonly accountName: string; readonly accountKey: string }
    | { readonly credential: TokenCredential };
  /** Default `2022-10-01.16.0`, what the client was made for. */
  readonly apiVersion?: string;
}

/** With both slashes: the audience of Batch ends in one. */
const scope = 'https://batch.core.windows.net//.default';
const defaultApiVersion = '2022-10-01.16.0';
const callTimeoutMs = 15_000;
export function openBatchClient({ accountUrl, auth, apiVersion }: BatchClientOptions): BatchServiceClient {
  const credentials =
    'credential' in auth
      ? new AzureIdentityCredentialAdapter(cachedCredential(auth.credential), scope)
      : new BatchSharedKeyCredentials(auth.accountName, auth.accountKey);
  // The client's own retries last minutes and leave 429 out; ours are the orchestration's.
  const client = new BatchServiceClient(credentials, accountUrl.replace(/\/+$/, ''), {
    noRetryPolicy: true,
    agentSettings: keptConnections,
    // One that is followed carries the task, and the agents' token in it, to a host that nobody configured.
    redirectOptions: { handleRedirects: false },
    userAgent: standard => `${userAgent} ${standard}`,
  });
  client.apiVersion = apiVersion ?? defaultApiVersion;
  return client;
}

/** The client's own timeout has a timer that runs on after the answer and keeps a process from ending. */
class Deadline extends EventTarget implements AbortSignalLike {
  aborted = false;
  onabort: AbortSignalLike['onabort'] = null;

  constructor(ms: number) {
    super();
    setTimeout(() => {
      this.aborted = true;
      this.dispatchEvent(new Event('abort'));
    }, ms).unref();
  }
}

/** Options of a call: it ends by itself, answered or not. */
export const batchCall = (): { abortSignal: AbortSignalLike } => ({
  abortSignal: new Deadline(callTimeoutMs),
});

/** Where no rejection can be told, even a permanent refusal is worth repeating: until an operator has acted. */
export function batchError(error: unknown, stage: Stage, what: string): Error {
  const outcome = classifyBatchError(error, stage, what);
  if (outcome.kind === 'transient') return outcome.error;
  const { code, message } = outcome.failure;
  return new TransientError(code, stage, message);
}

export const isMissing = (error: unknown): boolean => batchFacts(error).status === 404;
