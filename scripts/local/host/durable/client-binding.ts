/** Where clients of the Durable engine reach it. */
export interface DurableUrls {
  /** Of the management API, e.g. `http://127.0.0.1:7071/runtime/webhooks/durabletask`. */
  readonly webhookUrl: string;
  /** Of the same API for this host's own functions, which need no key there. */
  readonly rpcUrl: string;
  readonly hubName: string;
  readonly systemKey: string;
}

const idPlaceholder = 'INSTANCEID';

const query = ({ hubName, systemKey }: DurableUrls): string =>
  `taskHub=${hubName}&connection=Storage&code=${encodeURIComponent(systemKey)}`;

/** URLs under which one instance is managed, as `createCheckStatusResponse` hands them out. */
export function managementUrls(urls: DurableUrls, instanceId: string): Record<string, string> {
  const base = `${urls.webhookUrl}/instances/${instanceId}`;
  const required = query(urls);
  return {
    id: instanceId,
    statusQueryGetUri: `${base}?${required}`,
    sendEventPostUri: `${base}/raiseEvent/{eventName}?${required}`,
    terminatePostUri: `${base}/terminate?reason={text}&${required}`,
    rewindPostUri: `${base}/rewind?reason={text}&${required}`,
    purgeHistoryDeleteUri: `${base}?${required}`,
    restartPostUri: `${base}/restart?${required}`,
    suspendPostUri: `${base}/suspend?reason={text}&${required}`,
    resumePostUri: `${base}/resume?reason={text}&${required}`,
  };
}

/** The value of a `durableClient` input, from which the SDK makes its client. */
export function clientBinding(urls: DurableUrls): string {
  const required = query(urls);
  const create = `${urls.webhookUrl}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: urls.hubName,
    creationUrls: {
      createNewInstancePostUri: `${create}?${required}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${required}`,
    },
    managementUrls: managementUrls(urls, idPlaceholder),
    baseUrl: urls.webhookUrl,
    requiredQueryStringParameters: required,
    rpcBaseUrl: `${urls.rpcUrl}/`,
  });
}
