import { type FailureEntry, follows } from './entry.js';

/** The app itself and its storage. */
export const productFailures = {
  ProfileMissing: {
    title: 'The profile is not configured any more',
    cause: 'The request was taken in with a profile that the setting AgentProfiles has lost since.',
    remedy: 'Add the profile to AgentProfiles again, or ask for another one.',
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  StorageUnavailable: {
    title: 'The storage account can not be used',
    cause: 'Storage is away, or does not let the app in.',
    remedy:
      "Check AzureWebJobsStorage, the roles of this app's identity on the account, and the network between.",
    who: 'platform team',
    follows: follows.triedAgain,
  },
  RequestContended: {
    title: 'Too many changed the request at the same time',
    cause: 'Several steps wrote the row of the request at once, again and again.',
    remedy: 'Ask for the agent again, and find out what changes the row if it happens more than once.',
    who: 'platform team',
    follows: follows.byItself,
  },
  StartClaimed: {
    title: 'The request is being started already',
    cause: 'Another delivery of its message is making the start this moment, or has died over it.',
    remedy: 'Wait: the message comes back, and reconcile starts what nobody has started.',
    who: 'pipeline author',
    follows: follows.byItself,
  },
  EarlierGenerationRuns: {
    title: 'The earlier life of the request has not closed',
    cause: 'The request was asked for anew while the orchestration of its earlier generation still ended.',
    remedy: 'Wait: it begins as soon as the earlier one has closed.',
    who: 'pipeline author',
    follows: follows.byItself,
  },
  InternalError: {
    title: 'A step of the app failed',
    cause: 'Something that nobody has foreseen; the message of the failure says all that is known.',
    remedy: 'Look for the id of the request in the log of the app, and report it if it happens again.',
    who: 'platform team',
    follows: follows.triedAgain,
  },
} satisfies Readonly<Record<string, FailureEntry>>;
