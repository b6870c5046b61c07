import type { FastifyInstance } from 'fastify';
import { CallCounts } from '../faults/call-counts.js';
import { addCallRoutes } from '../faults/routes.js';
import { batchOperations } from './batch-operations.js';
import { type StorageService, storageCall } from './storage-call.js';

/** What is counted of one call: its name, and its parameters as fault rules know them. */
export type NamedCall = ReturnType<typeof storageCall>;

/** A transaction's URL doesn't say what it is about. */
export const isBatch = (service: StorageService, url: string): boolean =>
  service === 'table' && /\/\$batch(?:\?|$)/.test(url);

/**
 * Counts the calls to storage, and what is done inside of transactions. A transaction is one call, as it is on a
 * bill; it is named with its table: `POST table/$batch(AgentRequests)`.
 */
export class StorageCounts {
  readonly #calls = new CallCounts();
  readonly #operations = new CallCounts();

  /** @param body needed of a transaction only */
  add(service: StorageService, method: string, url: string, client: string, body = ''): NamedCall {
    const call = storageCall(service, method, url);
    if (!isBatch(service, url)) {
      this.#calls.add(call.name, client);
      return call;
    }
    const operations = batchOperations(body);
    for (const { name } of operations) this.#operations.add(name, client);
    const [{ table } = { table: '' }] = operations;
    const name = `${call.name}(${table})`;
    this.#calls.add(name, client);
    return { name, params: { table } };
  }

  /**
   * Beside what faults/routes.ts says of calls:
   *
   *     GET /_local/operations   { "PATCH table/AgentRequests(:key)": 12, … }   what was done inside of transactions,
   *                              under the names that it would have as calls; reset together with the calls
   */
  addRoutes(server: FastifyInstance): void {
    addCallRoutes(server, {
      by: client => this.#calls.by(client),
      reset: () => {
        this.#calls.reset();
        this.#operations.reset();
      },
    });
    server.get<{ Querystring: { client?: string } }>('/_local/operations', async ({ query }) =>
      this.#operations.by(query.client ?? ''),
    );
  }
}
