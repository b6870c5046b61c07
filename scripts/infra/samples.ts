import type { JsonObject } from './template/json.js';

/** Parameters of infra/main.bicep, to see what is deployed by them. */
export interface Sample {
  readonly name: string;
  readonly parameters: JsonObject;
  readonly existing: {
    readonly pools: readonly string[];
    readonly secrets: Readonly<Record<string, string>>;
  };
}

const nothing = { pools: [], secrets: {} };

// Where they turn up, a secret has got out. They are no secrets: nothing was ever sealed or opened by them.
const key = Buffer.from('a-key-that-is-not-a-secret-here!').toString('base64');
const token = 'a-token-that-is-no-secret-here';
const headers = 'api-key=a-header-that-is-no-secret-here';

/** Parts of the samples that stand for secrets. */
export const sampleSecrets: readonly string[] = [key, token, headers];

const azDOUrl = 'https://dev.azure.com/contoso';

const linux = {
  name: 'ubuntu',
  version: 'v1',
  devOpsPool: 'Private Ubuntu',
  image: 'azdo-agent:ubuntu-24.04-azdo',
  os: 'linux',
  vmSize: 'Standard_D4s_v5',
  nodeImage: { publisher: 'microsoft-dsvm', offer: 'ubuntu-hpc', sku: '2404', version: 'latest' },
  nodeAgentSku: 'batch.node.ubuntu 24.04',
  taskSlotsPerNode: 4,
};

const windows = {
  name: 'windows',
  version: 'v3',
  devOpsPool: 'Private Windows',
  image: 'azdo-agent:windows-core-ltsc2022-azdo',
  os: 'windows',
  vmSize: 'Standard_D8s_v5',
  nodeImage: {
    id: '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/images/providers/Microsoft.Compute/galleries/agents/images/windows/versions/1.0.0',
  },
  nodeAgentSku: 'batch.node.windows amd64',
  taskSlotsPerNode: 2,
  osDiskSizeGB: 256,
  agentAuth: 'token',
  limits: { maxAlive: 50, maxWaiting: 500, attempts: 2, timeoutMinutes: 60, idleMinutes: 5 },
};

export const samples: readonly Sample[] = [
  { name: 'only what has no default', parameters: { azDOUrl, callbackTokenKey: key }, existing: nothing },
  {
    name: 'three kinds of agents, a token, and everything else that can be set',
    parameters: {
      azDOUrl,
      callbackTokenKey: key,
      azDOToken: token,
      otlpHeaders: headers,
      appName: 'Build-Agents',
      environmentName: 'test',
      tags: { owner: 'platform' },
      pools: [
        {
          ...linux,
          autoScale: {
            minNodes: 1,
            maxLowPriorityNodes: 20,
            maxDedicatedNodes: 5,
            holdMinutes: 20,
            sparePercent: 10,
          },
        },
        windows,
        {
          ...linux,
          name: 'large',
          devOpsPool: 'Private Large',
          vmSize: 'Standard_D16s_v5',
          taskSlotsPerNode: 16,
          slots: 4,
          prefetchImages: ['azdo-agent:ubuntu-24.04-azdo', 'azdo-agent:ubuntu-22.04-azdo'],
        },
      ],
      settings: {
        AllowedPlanHosts: 'dev.azure.com',
        WatchSeconds: '10',
        ReplyQueues: 'replies',
        KeepPlaceholders: 'false',
        DashboardAuth: 'key',
        LogFormat: 'json',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.example.com',
      },
      vnetAddressPrefix: '172.18.0.0/16',
      nodesSubnetPrefix: '172.18.0.0/22',
      appSubnetPrefix: '172.18.4.0/27',
      endpointsSubnetPrefix: '172.18.4.32/27',
      corporateAddressPrefixes: ['10.0.0.0/8', '192.168.0.0/16'],
      dnsServers: ['10.0.0.4', '10.0.0.5'],
      allowedAddresses: ['203.0.113.7/32'],
      alwaysReadyInstances: 2,
      storageSku: 'Standard_ZRS',
      alertEmail: 'platform@example.com',
    },
    existing: nothing,
  },
  {
    name: 'once more, with secrets and a pool left as they are',
    parameters: {
      azDOUrl,
      callbackTokenKey: 'keep',
      azDOToken: 'keep',
      otlpHeaders: 'keep',
      pools: [
        { ...linux, deploy: false },
        { ...linux, name: 'next', version: 'v2' },
      ],
    },
    existing: {
      pools: ['ubuntu-v1'],
      secrets: { CallbackTokenKey: key, AzDOToken: token, OtlpHeaders: headers },
    },
  },
];

/** What a file of parameters deploys; what it asks of each environment has a value of ours. */
export const sampleOf = (name: string, parameters: JsonObject): Sample => ({
  name,
  parameters: { ...parameters, azDOUrl, callbackTokenKey: key },
  existing: nothing,
});

/** What the diagram shows: both systems that agents run on, and a network that they are for. */
export const pictured: Sample = {
  name: 'the diagram',
  parameters: {
    azDOUrl,
    callbackTokenKey: key,
    azDOToken: token,
    pools: [linux, { ...windows, version: 'v1' }],
    corporateAddressPrefixes: ['10.0.0.0/12'],
    allowedAddresses: ['203.0.113.7/32'],
  },
  existing: nothing,
};
