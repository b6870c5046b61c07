/** One setting as the diagnosis shows it. */
export interface SettingFact {
  readonly name: string;
  readonly isSet: boolean;
  /** What it is for, and its value or what holds without it; never a secret. */
  readonly detail: string;
}

interface Setting {
  readonly name: string;
  readonly meaning: string;
  /** What holds when it is not set. */
  readonly otherwise: string;
}

const settings: readonly Setting[] = [
  {
    name: 'AzureWebJobsStorage',
    meaning: 'queue, table and durable storage',
    otherwise: 'the service URIs below are used, with an identity',
  },
  {
    name: 'AzureWebJobsStorage__queueServiceUri',
    meaning: 'queue storage, reached with an identity',
    otherwise: 'AzureWebJobsStorage is used',
  },
  {
    name: 'AzureWebJobsStorage__tableServiceUri',
    meaning: 'table storage, reached with an identity',
    otherwise: 'AzureWebJobsStorage is used',
  },
  {
    name: 'AzureWebJobsStorage__clientId',
    meaning: 'which identity reaches storage',
    otherwise: "the app's own",
  },
  { name: 'BatchAccountUrl', meaning: 'the Batch account', otherwise: 'the app does not start' },
  { name: 'BatchAccountName', meaning: 'name of the Batch account', otherwise: 'needed with a key only' },
  { name: 'BatchAccountKey', meaning: 'key of the Batch account', otherwise: 'a managed identity signs in' },
  {
    name: 'BatchApiVersion',
    meaning: 'version of the Batch API',
    otherwise: 'the one that the client was made for',
  },
  {
    name: 'ContainerRegistryServer',
    meaning: 'registry of the agent images',
    otherwise: 'images are named without a registry',
  },
  {
    name: 'ContainerRegistryIdentity',
    meaning: 'identity that the nodes pull images with',
    otherwise: 'they pull as their pool is set up to',
  },
  { name: 'AzDOUrl', meaning: 'the Azure DevOps organisation', otherwise: 'the app does not start' },
  {
    name: 'AzDOToken',
    meaning: 'token for the agent pools',
    otherwise: 'a managed identity signs in',
  },
  {
    name: 'AzDOUbuntuPool',
    meaning: 'agent pool of profile ubuntu',
    otherwise: 'there is no such profile by itself',
  },
  {
    name: 'AzDOWindowsPool',
    meaning: 'agent pool of profile windows',
    otherwise: 'there is no such profile by itself',
  },
  { name: 'AgentProfiles', meaning: 'the kinds of agents', otherwise: 'the two settings above name them' },
  {
    name: 'AgentOSTypes',
    meaning: "what the article's AgentOSType stands for",
    otherwise: "the article's types, with today's images",
  },
  {
    name: 'CallbackTokenKey',
    meaning: "seals pipelines' job tokens",
    otherwise: 'the app does not start',
  },
  { name: 'AllowedPlanHosts', meaning: 'hosts that a PlanUrl may name', otherwise: 'the host of AzDOUrl' },
  { name: 'WatchSeconds', meaning: 'interval of the pool watch', otherwise: '5' },
  { name: 'ReplyQueues', meaning: 'queues that others may be answered on', otherwise: 'there are none' },
  {
    name: 'DashboardAuth',
    meaning: 'who may open the page of operators',
    otherwise: 'whoever has a function key',
  },
  {
    name: 'KeepPlaceholders',
    meaning: 'whether placeholders are made by themselves',
    otherwise: 'true',
  },
  { name: 'LogFormat', meaning: 'how log lines are written', otherwise: 'json on Azure, else text' },
  {
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING',
    meaning: 'where traces and metrics go in Application Insights',
    otherwise: 'they do not go there',
  },
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
    meaning: 'the identity that they are sent with',
    otherwise: 'the connection string is enough',
  },
  ...(
    [
      ['OTEL_EXPORTER_OTLP_ENDPOINT', 'where traces and metrics go by OTLP', 'they do not go there'],
      ['OTEL_EXPORTER_OTLP_HEADERS', 'headers that they are sent with', 'none'],
      ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'where traces go', 'the endpoint of both'],
      ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'headers of traces', 'the headers of both'],
      ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'where metrics go', 'the endpoint of both'],
      ['OTEL_EXPORTER_OTLP_METRICS_HEADERS', 'headers of metrics', 'the headers of both'],
      ['OTEL_METRIC_EXPORT_INTERVAL', 'milliseconds between two exports of metrics', '30000'],
      ['OTEL_SERVICE_NAME', 'name of the app in traces and metrics', 'its own'],
      ['OTEL_SDK_DISABLED', 'whether telemetry is off altogether', 'false'],
    ] as const
  ).map(([name, meaning, otherwise]) => ({ name, meaning, otherwise })),
];

/** How each setting that the app reads is spelt. */
export const settingNames: readonly string[] = settings.map(({ name }) => name);

/**
 * Every setting of the app, set or not.
 *
 * @param shown what may be shown of a value: never a secret.
 */
export const describeSettings = (
  env: Readonly<Record<string, string | undefined>>,
  shown: (name: string, value: string) => string,
): readonly SettingFact[] =>
  settings.map(({ name, meaning, otherwise }) => {
    const value = env[name];
    const isSet = value !== undefined && value !== '';
    const what = isSet ? `app setting, ${shown(name, value)}` : `not set: ${otherwise}`;
    return { name, isSet, detail: `${meaning[0]?.toUpperCase() ?? ''}${meaning.slice(1)}; ${what}.` };
  });
