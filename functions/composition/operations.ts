import { onFirstUse, portOnFirstUse } from '../../shared/adapters/on-first-use.js';
import { product } from '../../shared/adapters/product.js';
import { masked } from '../../shared/config/reader.js';
import { describeSettings } from '../../shared/config/setting-list.js';
import { diagnose } from '../../shared/operations/diagnose.js';
import { eventFeed } from '../../shared/operations/events.js';
import { recentRequests } from '../../shared/operations/recent-requests.js';
import { showPools } from '../../shared/operations/show-pools.js';
import type { BatchProbe, DevOpsProbe, RequestSurvey } from '../../shared/ports.js';
import { config, identity, loaded, shared, storageAccount } from '../composition.js';

/** What those need who look after the app. Each is made once a process, so that all who ask share what it keeps. */

const { clock } = shared;

const survey = portOnFirstUse<RequestSurvey>(async () => {
  const { createRequestSurvey } = await loaded(import('../../shared/adapters/request-survey.js'));
  return createRequestSurvey({ account: await storageAccount('table') });
}, {});

export const operations = {
  config,
  clock,
  registry: shared.registry,
  recent: recentRequests(survey, clock),
  feed: eventFeed(survey, clock),
};

export const poolsAnswer = showPools(shared);

const batchOptions = async () => ({
  accountUrl: config.batch.url,
  apiVersion: config.batch.apiVersion,
  auth: config.batch.sharedKey
    ? { accountName: config.batch.sharedKey.account, accountKey: config.batch.sharedKey.key }
    : { credential: await identity() },
});

const devOpsOptions = async () => ({
  organizationUrl: config.devOps.url,
  auth:
    config.devOps.token === undefined
      ? { credential: await identity() }
      : { personalAccessToken: config.devOps.token },
});

/** Its adapters are of no use to anything else, so they are loaded when somebody asks. */
export const diagnosis = onFirstUse(async () => {
  const [{ createStorageProbe }, { createBatchProbe }, { createDevOpsProbe }] = await Promise.all([
    loaded(import('../../shared/adapters/storage-probe.js')),
    loaded(import('../../shared/adapters/batch-probe.js')),
    loaded(import('../../shared/adapters/devops-probe.js')),
  ]);
  return diagnose({
    config,
    version: product.productVersion,
    settings: describeSettings(process.env, masked),
    storage: createStorageProbe({
      queues: await storageAccount('queue'),
      tables: await storageAccount('table'),
    }),
    batch: portOnFirstUse<BatchProbe>(async () => createBatchProbe(await batchOptions()), {}),
    devOps: portOnFirstUse<DevOpsProbe>(async () => createDevOpsProbe(await devOpsOptions()), {}),
    seal: shared.seal,
    clock,
  });
});
