import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Stack } from '../../../scripts/local/stack/stack.js';

const Keys = z.looseObject({ systemKeys: z.looseObject({ durabletask_extension: z.string() }) });
const Instance = z.looseObject({
  name: z.string(),
  runtimeStatus: z.string(),
  historyEvents: z.array(z.looseObject({ EventType: z.string() })),
});

/** An orchestration as the Durable management API of the host shows it, with its history. */
export async function instance(stack: Stack, instanceId: string): Promise<z.infer<typeof Instance>> {
  const keys = Keys.parse(JSON.parse(await readFile(join(stack.dataDir, 'host', 'keys.json'), 'utf8')));
  const url = new URL(
    `${stack.url('host')}/runtime/webhooks/durabletask/instances/${encodeURIComponent(instanceId)}`,
  );
  url.searchParams.set('code', keys.systemKeys.durabletask_extension);
  url.searchParams.set('showHistory', 'true');
  return Instance.parse(await (await fetch(url)).json());
}
