import { TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import { type StorageAccount, storageRetries } from './storage-account.js';
import { storageConnections } from './storage-connections.js';

export function openTable(account: StorageAccount, tableName: string): TableClient {
  const options: TableServiceClientOptions = {
    retryOptions: storageRetries,
    additionalPolicies: [storageConnections],
  };
  if ('connectionString' in account) {
    const allowInsecureConnection =
      /(http:\/\/|DefaultEndpointsProtocol=http;|UseDevelopmentStorage=true)/i.test(account.connectionString);
    return TableClient.fromConnectionString(account.connectionString, tableName, {
      ...options,
      allowInsecureConnection,
    });
  }
  return new TableClient(account.serviceUri, tableName, account.credential, options);
}
