/** A pipeline of the demo, in the words of its YAML. */
export interface DemoPipeline {
  readonly name: string;
  /** Route of the function that it calls. */
  readonly route: string;
  readonly body: string;
  readonly waitForCompletion: boolean;
  readonly pool: string;
  readonly demands: readonly string[];
  readonly steps: readonly { readonly displayName: string; readonly script: string }[];
}

const pools = { ubuntu: 'AzDOUbuntu', windows: 'AzDOWindows', article: 'AzDOArticle' } as const;
export const demoAgentPools = Object.values(pools);

/**
 * Three kinds of agents. The pipeline of the article demands nothing of its agent, so it gets a pool to itself: in a
 * common one its job could take the agent that another pipeline asked for.
 */
export const demoSettings = {
  WatchSeconds: '1',
  AgentProfiles: JSON.stringify({
    ubuntu: { devOpsPool: pools.ubuntu, batchPool: 'batchLinux', image: 'azdo-agent:ubuntu-24.04-azdo' },
    windows: {
      devOpsPool: pools.windows,
      batchPool: 'batchWindows',
      image: 'azdo-agent:windows-core-ltsc2022-azdo',
      os: 'windows',
    },
    article: { devOpsPool: pools.article, batchPool: 'batchLinux', image: 'azdo-agent:ubuntu-24.04-azdo' },
  }),
  AgentOSTypes: JSON.stringify({ 'ubuntu-20.04': { profile: 'article', tag: 'ubuntu-20.04-azdo' } }),
} as const;

const steps = [
  { displayName: 'Where am I', script: 'echo "Building on agent $AZDO_AGENT of pool $AZDO_POOL"' },
  { displayName: 'Build', script: 'for part in compile test pack; do echo "$part … done"; done' },
];

export const pipelines: readonly DemoPipeline[] = [
  {
    name: 'linux',
    route: '/api/agents',
    body: JSON.stringify({
      profile: 'ubuntu',
      capabilities: { DEMO_BUILD: '$(Build.BuildId)' },
      attempt: '$(System.StageAttempt).$(System.JobAttempt)',
      tags: { demo: 'linux' },
    }),
    waitForCompletion: true,
    pool: pools.ubuntu,
    demands: ['DEMO_BUILD -equals $(Build.BuildId)'],
    steps,
  },
  {
    name: 'article',
    route: '/api/ProvideAzDOAgent',
    body: JSON.stringify({ AgentOSType: 'ubuntu-20.04' }),
    waitForCompletion: false,
    pool: pools.article,
    demands: [],
    steps,
  },
  {
    name: 'windows',
    route: '/api/agents',
    body: JSON.stringify({ profile: 'windows', capabilities: { DEMO_BUILD: '$(Build.BuildId)' } }),
    waitForCompletion: true,
    pool: pools.windows,
    demands: ['DEMO_BUILD -equals $(Build.BuildId)'],
    steps,
  },
];
