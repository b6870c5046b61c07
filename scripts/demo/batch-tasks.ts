import { BatchServiceClient, BatchSharedKeyCredentials } from '@azure/batch';
import type { Stack } from '../local/stack/stack.js';

/** Every task of the account, as `job/task (state)`. */
export async function batchTasks({ settings }: Stack): Promise<readonly string[]> {
  const credentials = new BatchSharedKeyCredentials(
    settings['BatchAccountName'] ?? '',
    settings['BatchAccountKey'] ?? '',
  );
  const client = new BatchServiceClient(credentials, settings['BatchAccountUrl'] ?? '', {
    noRetryPolicy: true,
  });
  const jobs = await client.job.list();
  const tasks = await Promise.all(
    jobs.map(async job =>
      (await client.task.list(job.id ?? '')).map(task => `${job.id}/${task.id} (${task.state})`),
    ),
  );
  return tasks.flat();
}
