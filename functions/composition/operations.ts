import { onFirstUse, portOnFirstUse } from '../../shared/adapters/on-first-use.js';
import { product } from '../../shared/adapters/product.js';
import { masked } from '../../shared/config/reader.js';
import { eventFeed } from '../../shared/operations/events.js';
import { recentRequests } from '../../shared/operations/recent-requests.js';
import { showPools } from '../../shared/operations/show-pools.js';
import type { BatchProbe, DevOpsProbe } from '../../shared/ports/probes.js';
import type { RequestSurvey } from '../../shared/ports.js';
import { shared } from './dependencies.js';
import { loaded } from './load.js';
import { clock, ports } from './ports.js';
import { config, environment } from './settings.js';
import { batchAccount, organization, storageAccount } from './sign-in.js';

/** What those need who look after the app. Each is made once a process, so that all who ask share what it keeps. */

const survey = portOnFirstUse<RequestSurvey>(async () => {
  const { createRequestSurvey } = await loaded(import('../../shared/adapters/request-survey.js'));
  return createRequestSurvey({ account: await storageAccount('table') });
}, {});

export const operations = {
  config,
  clock,
  registry: ports.registry,
  recent: recentRequests(survey, clock),
  feed: eventFeed(survey, clock),
};

export const poolsAnswer = showPools(shared);

/** Neither it nor its adapters are of use to anything else, so they are loaded when somebody asks. */
export const diagnosis = onFirstUse(async () => {
  const [
    { diagnose },
    { describeSettings },
    { createStorageProbe },
    { createBatchProbe },
    { createDevOpsProbe },
  ] = await Promise.all([
    loaded(import('../../shared/operations/diagnose.js')),
    loaded(import('../../shared/config/setting-list.js')),
    loaded(import('../../shared/adapters/storage-probe.js')),
    loaded(import('../../shared/adapters/batch-probe.js')),
    loaded(import('../../shared/adapters/devops-probe.js')),
  ]);
  return diagnose({
    config,
    version: product.productVersion,
    settings: describeSettings(environment, masked),
    storage: createStorageProbe({
      queues: await storageAccount('queue'),
      tables: await storageAccount('table'),
    }),
    batch: portOnFirstUse<BatchProbe>(async () => createBatchProbe(await batchAccount()), {}),
    devOps: portOnFirstUse<DevOpsProbe>(async () => createDevOpsProbe(await organization()), {}),
    seal: shared.seal,
    clock,
  });
});
