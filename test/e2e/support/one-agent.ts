import * as assert from 'uvu/assert';
import type { Stack } from '../../../scripts/local/stack/stack.js';
import type { AgentsApi, Shown } from './agents-api.js';
import { nothingLeft } from './nothing-left.js';
import { accepted, type Pipelines } from './pipelines.js';

/**
 * Follows a run and its request to their ends and holds them to what a user expects whatever happened in between:
 * the job ran on the one agent that was made for it, the pipeline was told once, and nothing is left.
 */
export async function endsWithOneAgent(
  { stack, api, pipelines }: { stack: Stack; api: AgentsApi; pipelines: Pipelines },
  runId: string,
): Promise<Shown> {
  const requestId = await pipelines.requestId(runId);
  const request = await api.end(requestId, 30_000);
  const run = await pipelines.end(runId);
  assert.is(request.state, 'completed', JSON.stringify(request.history, undefined, 1));
  assert.is(request.attempt, 1);
  assert.is(request.agentName, `${requestId}-1`);
  assert.is(run.result, 'succeeded', run.log.join('\n'));
  assert.is(run.job?.agentName, request.agentName);
  assert.equal(accepted(run), ['succeeded']);
  assert.is(run.variables['agentName'], request.agentName);
  // An echo of our own is no refusal.
  assert.not.match(request.history.map(({ detail }) => detail).join('\n'), 'did not take our completion');
  await nothingLeft(stack);
  return request;
}
