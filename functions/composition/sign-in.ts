import type { TokenCredential } from '@azure/identity';
import { onFirstUse } from '../../shared/adapters/on-first-use.js';
import type { StorageAccount } from '../../shared/adapters/storage-account.js';
import { loaded } from './load.js';
import { config } from './settings.js';

/** As whom each service is called, by the settings: with a key of its own, or as the identity of the app. */

const { batch, devOps, storage } = config;

const identity = onFirstUse(async (): Promise<TokenCredential> => {
  const { DefaultAzureCredential } = await loaded(import('@azure/identity'));
  return new DefaultAzureCredential();
});

/** @param clientId of several identities that the app has, the one that is meant. */
export const identityNamed = async (clientId: string | undefined): Promise<TokenCredential> => {
  if (clientId === undefined) return identity();
  const { ManagedIdentityCredential } = await loaded(import('@azure/identity'));
  return new ManagedIdentityCredential({ clientId });
};

export const storageAccount = async (service: 'queue' | 'table'): Promise<StorageAccount> =>
  'connectionString' in storage
    ? { connectionString: storage.connectionString }
    : {
        serviceUri: service === 'queue' ? storage.queueServiceUri : storage.tableServiceUri,
        credential: await identityNamed(storage.clientId),
      };

export const batchAccount = async () => ({
  accountUrl: batch.url,
  apiVersion: batch.apiVersion,
  auth: batch.sharedKey
    ? { accountName: batch.sharedKey.account, accountKey: batch.sharedKey.key }
    : { credential: await identity() },
});

export const organization = async () => ({
  organizationUrl: devOps.url,
  auth: devOps.token === undefined ? { credential: await identity() } : { personalAccessToken: devOps.token },
});
