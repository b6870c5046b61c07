import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OrchestrationHandler } from 'durable-functions';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { agentLifecycle } from '../../shared/workflow/agent-lifecycle.js';
import { lifecycleName, watchName } from '../../shared/workflow/contract.js';
import { poolWatch } from '../../shared/workflow/pool-watch.js';
import { actionsOn } from './replay.js';

/**
 * Instances that were running when a new version was deployed are replayed by it. Each file is the history of one
 * that a host really ran, with the actions that were taken on it; the code of today must take the same. A change
 * that can't is a new orchestration with a new name beside the old.
 */
const recordingSchema = z.object({
  orchestration: z.string(),
  instanceId: z.string(),
  input: z.unknown().optional(),
  history: z.array(z.record(z.string(), z.unknown())),
  actions: z.array(z.looseObject({ actionType: z.number() })),
});

const handlers: Readonly<Record<string, OrchestrationHandler>> = {
  [lifecycleName]: agentLifecycle,
  [watchName]: poolWatch,
};
const folder = join(import.meta.dirname, '../../../test/histories');
const files = readdirSync(folder).filter(name => name.endsWith('.json'));
const recorded = suite('recorded histories');

recorded('are there', () => {
  assert.ok(files.length >= 3);
});

for (const file of files) {
  recorded(`${file} is replayed with the same actions`, async () => {
    const recording = recordingSchema.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
    const handler = handlers[recording.orchestration];
    if (!handler) return assert.unreachable(`no orchestration is named ${recording.orchestration}`);
    const { actions } = await actionsOn(handler, recording.instanceId, recording.input, recording.history);
    assert.equal(JSON.parse(JSON.stringify(actions)), recording.actions);
  });
}

recorded.run();
