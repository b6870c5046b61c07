import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PipelineContext } from '../../shared/domain/request.js';
import type { PipelineCallback } from '../../shared/ports.js';

export interface PipelineUnderTest {
  readonly callback: PipelineCallback;
  /** A server task that waits, in a run that goes on after it. */
  readonly pipeline: PipelineContext;
  readonly token: string;
  /** Somebody cancels the run. */
  readonly cancel: () => Promise<void>;
  readonly seen: () => Promise<{
    readonly log: string;
    readonly variables: Readonly<Record<string, string>>;
    readonly errors: readonly string[];
    /** How the server task ended. */
    readonly results: readonly string[];
  }>;
}

export function pipelineCallbackContract(name: string, make: () => Promise<PipelineUnderTest>): void {
  const test = suite(`pipeline callback: ${name}`);

  for (const result of ['succeeded', 'failed'] as const) {
    test(`ends the server task that waits: ${result}`, async () => {
      const { callback, pipeline, token, seen } = await make();
      assert.equal(await callback.complete(pipeline, token, result), { kind: 'acknowledged' });
      assert.equal((await seen()).results, [result]);
    });
  }

  test('a completion that nobody waits for any more changes nothing while the run goes on', async () => {
    const { callback, pipeline, token, seen } = await make();
    await callback.complete(pipeline, token, 'succeeded');
    const again = await callback.complete(pipeline, token, 'failed');
    assert.is(again.kind, 'refused');
    assert.equal((await seen()).results, ['succeeded']);
  });

  test('a run that was cancelled is told as over', async () => {
    const { callback, pipeline, token, cancel } = await make();
    await cancel();
    const answer = await callback.complete(pipeline, token, 'succeeded');
    assert.is(answer.kind, 'planOver');
  });

  test('shows lines, variables and the reason of a failure to the author', async () => {
    const { callback, pipeline, token, seen } = await make();
    await callback.tell(pipeline, token, ['waiting for a node', 'agent r-1-1 is online']);
    await callback.annotate(pipeline, token, {
      variables: { agentName: 'r-1-1', requestId: 'r-1' },
      log: ['a line of the log'],
    });
    await callback.annotate(pipeline, token, { error: 'No agent could be provided.' });
    const { log, variables, errors } = await seen();
    for (const line of ['waiting for a node', 'agent r-1-1 is online', 'a line of the log']) {
      assert.match(log, line);
    }
    assert.equal(variables, { agentName: 'r-1-1', requestId: 'r-1' });
    assert.equal(errors, ['No agent could be provided.']);
  });

  test('learns from its lines that a run is over, and never throws for what is only told', async () => {
    const { callback, pipeline, token, cancel } = await make();
    assert.is(await callback.tell(pipeline, token, ['in time']), 'told');
    await cancel();
    const answer = await callback.tell(pipeline, token, ['too late']);
    assert.ok(typeof answer === 'object' && answer.planOver !== '', JSON.stringify(answer));
    await callback.annotate(pipeline, token, { error: 'too late', log: ['l'], variables: { a: 'b' } });
    await callback.tell(pipeline, 'not-the-token', ['not mine']);
  });

  test.run();
}
