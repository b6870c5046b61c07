import { type FailureEntry, follows } from './entry.js';

/** The agent's container and the node that it runs on. */
export const agentFailures = {
  ImagePullFailed: {
    title: "The agent's image could not be pulled",
    cause:
      'The registry has no such image or tag, can not be reached from the node, or does not let the identity of the pool in.',
    remedy: "Check the image's name and tag, and that the pool may pull from the registry.",
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  ContainerSettingsInvalid: {
    title: "The container's settings were refused",
    cause:
      "Azure Batch does not accept the container as the profile describes it, e.g. the image's name is malformed.",
    remedy: "Correct the profile's image and os, or the container configuration of the Batch pool.",
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  ContainerFailed: {
    title: "The node could not run the agent's container",
    cause: "The node's container engine failed, or the container ended without an exit code.",
    remedy: 'Look at the container engine and the start task of the node, if it happens again.',
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  AgentCommandMissing: {
    title: 'The image starts a program that is not in it',
    cause: "The image's ENTRYPOINT names a program that does not exist in the image.",
    remedy: "Correct the image's ENTRYPOINT.",
    who: 'platform team',
    follows: follows.endsAtOnce,
  },
  AgentLaunchFailed: {
    title: 'The program of the image could not be started',
    cause:
      'The program is not executable, or was built for another system or processor than that of the nodes.',
    remedy: "Check the image's ENTRYPOINT and that it was built for the nodes' system.",
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  NodeDiskFull: {
    title: "The node's disk is full",
    cause: 'The images and the work of the agents on one node take more than its disk has.',
    remedy: 'Give the Batch pool larger disks or fewer task slots a node, or make the image smaller.',
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  TaskFilesUnavailable: {
    title: 'A file or package of the task could not be fetched',
    cause: 'Batch puts files and application packages beside every task, and one of them could not be had.',
    remedy: 'Check the application packages of the Batch pool and the storage that they lie in.',
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  AgentStartFailed: {
    title: 'The agent ended before its job, with an error',
    cause:
      "The container came up, and its program ended with an exit code. Its last words are in the failure's message: often the sign-in to Azure DevOps, a proxy or a certificate.",
    remedy: "Mend what the last words of the agent tell of, in the image or in the profile's agentAuth.",
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  AgentExitedEarly: {
    title: 'The agent ended by itself before its job',
    cause:
      'The program of the image ended without an error and without having run a job, e.g. because it does not start the agent.',
    remedy: 'Make the image run the agent until its job is over.',
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  AgentLost: {
    title: 'The agent ended during its job',
    cause: 'Its container or its Batch task ended while the job ran: out of memory, terminated, or crashed.',
    remedy: 'Run the job again.',
    who: 'pipeline author',
    follows: follows.jobLost,
  },
  NodePreempted: {
    title: 'The node of the agent was lost',
    cause: 'A Spot node was preempted, or the node broke.',
    remedy: 'Run the job again, or use a profile whose Batch pool has dedicated nodes.',
    who: 'pipeline author',
    follows:
      'Before the job: the request is provisioning again, for its next attempt. During the job: it ends as completed, and Azure DevOps reports the job as lost.',
  },
  TaskGone: {
    title: "The agent's Batch task was removed",
    cause: 'Somebody or something deleted the task or its Batch job before the agent had run a job.',
    remedy: 'Find out who deletes tasks or jobs in the Batch account.',
    who: 'platform team',
    follows: follows.nextAttempt,
  },
  TaskTimedOut: {
    title: "The agent's Batch task was ended",
    cause:
      'Batch or an operator ended the task before the agent had run a job: by its time limit, or by hand.',
    remedy: 'Find out who terminates tasks or jobs in the Batch account.',
    who: 'platform team',
    follows: follows.nextAttempt,
  },
} satisfies Readonly<Record<string, FailureEntry>>;
