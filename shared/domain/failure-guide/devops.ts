import { type FailureEntry, follows } from './entry.js';

/** Azure DevOps: the organisation, its agent pools and pipelines. */
export const devOpsFailures = {
  AgentPoolMissing: {
    title: 'The agent pool is not there',
    cause: 'Azure DevOps has no agent pool of the name that the profile gives, or the app may not see it.',
    remedy: "Create the agent pool and let the app's identity see it, or correct the profile's devOpsPool.",
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  AgentTaken: {
    title: 'The agent ran a job of another pipeline',
    cause: 'The jobs of both pipelines fit the agent, and the other one was faster.',
    remedy: 'Demand a capability in the job that only this request gives its agent.',
    who: 'pipeline author',
    follows: follows.nextAttempt,
  },
  RegistrationTimeout: {
    title: 'The agent did not register in time',
    cause: 'Its container runs, but Azure DevOps did not see the agent before the timeoutMinutes were over.',
    remedy: 'Check the image, its network path to Azure DevOps and its credentials.',
    who: 'platform team',
    follows: follows.timeIsUp,
  },
  AgentStillBusy: {
    title: 'Azure DevOps takes the agent for busy',
    cause:
      'The task of the agent is gone, and Azure DevOps has not noticed yet that nobody works there any more.',
    remedy: 'Remove the agent in the agent pool by hand, if it stays there.',
    who: 'platform team',
    follows: follows.byItself,
  },
  AzDOAuthenticationFailed: {
    title: 'Azure DevOps does not accept our sign-in',
    cause: 'The token has expired or was revoked, or the identity of the app has lost its rights.',
    remedy:
      "Check that AzDOToken is valid, or that this app's identity is a member of the organisation and Administrator of the agent pool.",
    who: 'platform team',
    follows: follows.triedAgain,
  },
  AzDORequestRefused: {
    title: 'Azure DevOps refused a call',
    cause: "The organisation does not allow it; its own words are in the failure's message.",
    remedy: 'Mend what Azure DevOps names in its answer.',
    who: 'platform team',
    follows: follows.triedAgain,
  },
  AzDOThrottled: {
    title: 'Azure DevOps wants to be called less often',
    cause: 'The identity of the app has used up what the organisation allows it for now.',
    remedy: 'Give the app an identity that nothing else uses, or raise WatchSeconds.',
    who: 'platform team',
    follows: follows.triedAgain,
  },
  AzDOUnavailable: {
    title: 'Azure DevOps can not be reached',
    cause: 'The service is away, its address does not lead to it, or the network between is broken.',
    remedy: 'Check the status of Azure DevOps, AzDOUrl and the network of the app.',
    who: 'platform team',
    follows: follows.triedAgain,
  },
} satisfies Readonly<Record<string, FailureEntry>>;
