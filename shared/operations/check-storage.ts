import type { Config } from '../config.js';
import type { StorageProbe } from '../ports/probes.js';
import { type Check, ok } from './checks.js';

const addressRemedy = (role: string): string =>
  `Check AzureWebJobsStorage; with an identity instead of a key, give this app's identity the role ${role} on the ` +
  'storage account, and let its network reach the account.';

export const storageChecks = ({
  config,
  storage,
}: {
  readonly config: Pick<Config, 'replyQueues'>;
  readonly storage: StorageProbe;
}): readonly Check[] => [
  {
    area: 'storage',
    name: 'Queue storage can be used',
    remedy: addressRemedy('Storage Queue Data Contributor'),
    run: async () => {
      await storage.useQueue();
      return ok('A queue was made, a message was put in, seen and taken out, and the queue was removed.');
    },
  },
  {
    area: 'storage',
    name: 'Table storage can be used',
    remedy: addressRemedy('Storage Table Data Contributor'),
    run: async () => {
      await storage.useTable();
      return ok('A row was written to the table of requests, read and removed.');
    },
  },
  ...config.replyQueues.map(
    (queue): Check => ({
      area: 'storage',
      name: `Reply queue "${queue}" exists`,
      remedy: addressRemedy('Storage Queue Data Contributor'),
      run: async () =>
        (await storage.queueExists(queue))
          ? ok('It is there.')
          : {
              status: 'warning',
              detail: `There is no queue ${queue} yet. The first reply makes it; whoever reads it before then finds none.`,
              remedy: `Create queue ${queue} in the storage account, or take it out of ReplyQueues.`,
            },
    }),
  ),
];
