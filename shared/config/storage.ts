import * as z from 'zod';
import { isServiceUrl, serviceUrl } from './formats.js';
import type { Reader } from './reader.js';

export type StorageConfig =
  | { readonly connectionString: string }
  | {
      readonly queueServiceUri: string;
      readonly tableServiceUri: string;
      readonly clientId: string | undefined;
    };

/** Storage by a connection string, or by an identity. */
export function readStorage(read: Reader, problems: string[]): StorageConfig | undefined {
  const connectionString = read.optional(
    'AzureWebJobsStorage',
    z
      .string()
      .refine(isEncrypted, { error: 'must reach storage by https', abort: true })
      .refine(
        isComplete,
        'must be a whole connection string: DefaultEndpointsProtocol, AccountName, AccountKey and EndpointSuffix, ' +
          'or SharedAccessSignature; with QueueEndpoint and TableEndpoint in place of EndpointSuffix',
      ),
  );
  if (connectionString !== undefined) return { connectionString };
  const queueServiceUri = read.optional('AzureWebJobsStorage__queueServiceUri', serviceUrl);
  const tableServiceUri = read.optional('AzureWebJobsStorage__tableServiceUri', serviceUrl);
  if (queueServiceUri === undefined || tableServiceUri === undefined) {
    problems.push(
      'AzureWebJobsStorage is missing; set it, or AzureWebJobsStorage__queueServiceUri and ' +
        'AzureWebJobsStorage__tableServiceUri for an identity.',
    );
    return undefined;
  }
  return {
    queueServiceUri,
    tableServiceUri,
    clientId: read.optional(
      'AzureWebJobsStorage__clientId',
      z.string().regex(/^[\w-]{1,64}$/, 'must be a client id'),
    ),
  };
}

/** The clients of storage demand this much when they are made, which is later than a wrong setting must be told. */
function isComplete(connectionString: string): boolean {
  const has = (name: string, value = '[^;]'): boolean =>
    new RegExp(`(?:^|;)\\s*${name}=${value}`).test(connectionString);
  const addresses = has('QueueEndpoint') && has('TableEndpoint');
  return (
    connectionString.startsWith('UseDevelopmentStorage=true') ||
    (addresses && has('SharedAccessSignature')) ||
    (has('DefaultEndpointsProtocol', 'https?(?:;|$)') &&
      has('AccountName') &&
      has('AccountKey') &&
      (addresses || has('EndpointSuffix')))
  );
}

/** Whatever a connection string names is reached by https, or is on this machine. */
function isEncrypted(connectionString: string): boolean {
  const parts = new Map(
    connectionString.split(';').map(part => {
      const [name = '', ...value] = part.split('=');
      return [name.trim().toLowerCase(), value.join('=').trim()] as const;
    }),
  );
  const endpoints = [...parts].filter(([name]) => /endpoint$|^developmentstorageproxyuri$/.test(name));
  const byDefault = ['queueendpoint', 'tableendpoint'].some(name => !parts.has(name));
  return (
    endpoints.every(([, url]) => isServiceUrl(url)) &&
    !(byDefault && parts.get('defaultendpointsprotocol')?.toLowerCase() === 'http')
  );
}
