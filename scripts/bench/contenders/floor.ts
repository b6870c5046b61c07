import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import { FloorSetup } from '../bursts/protocol.js';
import { type Call, serveBursts } from '../bursts/serve.js';

/**
 * The bare work of keeping a request: one row of about the size of ours, then one message, with the same SDKs on the same
 * storage, and no host, no check, no HTTP in between. It runs in a process of its own, as the callers of the others do, so
 * that as many processes share the machine; what the SDKs cost here, they cost the app there.
 */
serveBursts(async message => {
  const { connectionString } = FloorSetup.parse(message);
  const table = TableClient.fromConnectionString(connectionString, 'BenchFloor', {
    allowInsecureConnection: true,
  });
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient('bench-floor');
  await table.createTable();
  await queue.create();
  const call: Call = async () => {
    const requestId = randomUUID();
    const text = JSON.stringify({ version: 1, profile: 'ubuntu', requestId });
    await table.createEntity({
      partitionKey: 'requests',
      rowKey: `live~${requestId}`,
      requestId,
      ...row,
      message: new TextEncoder().encode(text),
    });
    await queue.sendMessage(text, { messageTimeToLive: -1 });
  };
  await call();
  return call;
});

/** About 1 KB in some thirty columns, most of them short or empty, as a new request has them. */
const row: Readonly<Record<string, string | number | boolean>> = {
  generation: 1,
  profile: 'ubuntu',
  state: 'accepted',
  attempt: 0,
  firstAttempt: 1,
  devOpsPool: 'AzDOUbuntu',
  image: 'registry.local/azdo-agent:ubuntu-24.04-azdo',
  createdAt: '2026-01-31T10:00:00.000Z',
  updatedAt: '2026-01-31T10:00:00.000Z',
  timeoutMinutes: 30,
  pipelineWaits: false,
  capabilities: '{}',
  tags: '{}',
  history: JSON.stringify([
    { state: 'accepted', at: '2026-01-31T10:00:00.000Z', attempt: 0, detail: 'Asked for over HTTP.' },
  ]),
  ...Object.fromEntries(
    [
      'agentName',
      'batch',
      'onlineAt',
      'taskStartedAt',
      'endedAt',
      'failure',
      'failureCode',
      'pipeline',
      'callback',
      'replyQueue',
      'startClaimedAt',
      'deferredAt',
      'cancelRequestedAt',
      'purgedAt',
    ].map(column => [column, '']),
  ),
};
