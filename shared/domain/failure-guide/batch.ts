import { type FailureEntry, follows } from './entry.js';

/** Azure Batch: the account, its pools and jobs. */
export const batchFailures = {
  PoolMissing: {
    title: 'The Batch pool is not there',
    cause: 'The Batch account has no pool of the name that the profile gives, or the pool is being deleted.',
    remedy: "Create the Batch pool, or correct the profile's batchPool.",
    who: 'platform team',
    follows: `${follows.endsAtOnce} So do requests that wait in a pool while it is deleted.`,
  },
  QuotaReached: {
    title: 'A quota of the Batch account is reached',
    cause:
      'The account may have no more cores, so the pool gets no further nodes; or it may have no more active jobs and schedules.',
    remedy:
      'Have the quota of the Batch account raised, make the pool smaller, or end jobs that are no longer needed.',
    who: 'platform team',
    follows:
      'No cores: the request stays starting, the reason is told and noted, and it is deadLettered if its time runs out. ' +
      'No further job: it stays provisioning and is tried about once a minute until then.',
  },
  PoolResizeFailed: {
    title: 'The Batch pool can not get nodes',
    cause:
      'Azure could not add nodes to the pool: no capacity, no free addresses, or a setting that is wrong.',
    remedy: "Check the pool's virtual network, image and virtual machine size.",
    who: 'platform team',
    follows: follows.waits,
  },
  NodesUnusable: {
    title: 'No node of the Batch pool works',
    cause: "Every node of the pool is unusable, e.g. because the pool's start task failed on it.",
    remedy: "Check the pool's start task and image, and reboot or remove the nodes.",
    who: 'platform team',
    follows: follows.waits,
  },
  NodeAllocationTimeout: {
    title: 'No node in time',
    cause: 'The Batch task waited for a node until the timeoutMinutes of the request were over.',
    remedy: "Check the pool's size, quota and autoscale formula.",
    who: 'platform team',
    follows: follows.timeIsUp,
  },
  JobDisabled: {
    title: 'The Batch job is disabled',
    cause: "Somebody has disabled the profile's Batch job of the day, so no task can be added to it.",
    remedy: 'Enable the Batch job again.',
    who: 'platform team',
    follows: follows.triedEachMinute,
  },
  JobsExhausted: {
    title: 'Every Batch job of the day has ended',
    cause: "The profile's Batch jobs of the day have ended, are being deleted, or run on another pool.",
    remedy: 'Delete the ended Batch jobs of the profile, or wait until they are deleted.',
    who: 'platform team',
    follows: follows.triedEachMinute,
  },
  BatchAccountDisabled: {
    title: 'The Batch account is disabled',
    cause: 'Azure has disabled the account, e.g. because its subscription is.',
    remedy: 'Enable the Batch account again.',
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  BatchAuthenticationFailed: {
    title: 'Azure Batch does not accept our sign-in',
    cause: 'The key of the account was replaced, or the identity of the app lost its role on the account.',
    remedy: 'Check BatchAccountName and BatchAccountKey, or the role of this app on the Batch account.',
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  BatchRequestInvalid: {
    title: 'Azure Batch found the task malformed',
    cause:
      "What the profile asks for is not what the account takes; Batch's own words are in the failure's message.",
    remedy: "Correct the profile's image, slots or pool.",
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  BatchRequestRefused: {
    title: 'Azure Batch refused the task',
    cause: "The account does not allow it; Batch's own words are in the failure's message.",
    remedy: 'Mend what Azure Batch names in its answer.',
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  BatchThrottled: {
    title: 'Azure Batch wants to be called less often',
    cause: 'The account gets more calls than it answers at once, ours and those of others.',
    remedy: 'Find out what else calls the Batch account, or use an account of its own.',
    who: 'platform team',
    follows: follows.triedAgain,
  },
  BatchUnavailable: {
    title: 'Azure Batch can not be reached',
    cause: 'The service is away, its address does not lead to it, or the network between is broken.',
    remedy: 'Check the status of Azure, BatchAccountUrl and the network of the app.',
    who: 'platform team',
    follows: follows.triedAgain,
  },
} satisfies Readonly<Record<string, FailureEntry>>;
