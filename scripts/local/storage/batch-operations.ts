import { storageCall } from './storage-call.js';

/** The line that each operation of an entity group transaction begins with; no other can look like it, as the rest is headers and JSON. */
const operationLine = /^(POST|PUT|MERGE|PATCH|DELETE|GET) (https?:\/\/\S+) HTTP\/1\.1\r?$/gm;

/**
 * The operations of an entity group transaction, each under the name it would have as a call of its own:
 * `PATCH table/AgentRequests(:key)`.
 *
 * @param body of `POST table/$batch`
 */
export function batchOperations(body: string): { readonly name: string; readonly table: string }[] {
  return [...body.matchAll(operationLine)].map(([, method = '', url = '']) => {
    const { name, params } = storageCall('table', method, url);
    return { name, table: params['table'] ?? '' };
  });
}
