import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TransientError } from '../../shared/domain/failure.js';
import type { AgentView } from '../../shared/domain/situation.js';
import type { AgentRegistry } from '../../shared/ports.js';

export interface RegistryUnderTest {
  readonly registry: AgentRegistry;
  /** An agent pool that exists, without agents. */
  readonly pool: string;
  /** An agent registers and goes online. */
  readonly connect: (agentName: string) => Promise<void>;
  /** The agent is given a job and runs it until {@link finishJob}. */
  readonly startJob: (agentName: string) => Promise<void>;
  /** The job ends, and the agent with it; its registration stays behind. */
  readonly finishJob: (agentName: string) => Promise<void>;
}

export function agentRegistryContract(name: string, make: () => Promise<RegistryUnderTest>): void {
  const test = suite(`agent registry: ${name}`);

  test('knows which pools exist', async () => {
    const { registry, pool } = await make();
    assert.is(await registry.poolExists(pool), true);
    assert.is(await registry.poolExists('no such pool'), false);
    await registry.ping();
  });

  test('knows nothing of an agent that never registered', async () => {
    const { registry, pool } = await make();
    assert.equal(await registry.listAgents(pool), []);
    assert.is(await registry.getAgent(pool, 'r-1-1'), undefined);
    assert.is(await registry.ranJob(pool, 'r-1-1'), false);
    assert.is(await registry.jobResult(pool, 'r-1-1'), undefined);
    assert.is(await registry.removeAgent(pool, 'r-1-1'), 'removed');
  });

  test('follows an agent through its life', async () => {
    const { registry, pool, connect, startJob, finishJob } = await make();
    const idle = { name: 'r-1-1', online: true, busy: false, ranJob: false };
    await connect('r-1-1');
    assert.equal(timeless(await registry.getAgent(pool, 'R-1-1')), idle);
    assert.equal((await registry.listAgents(pool)).map(timeless), [idle]);
    const [{ createdOn } = {}] = await registry.listAgents(pool);
    assert.ok(Date.parse(createdOn ?? '') <= Date.now(), `it registered at ${String(createdOn)}`);
    assert.is(await registry.ranJob(pool, 'r-1-1'), false);

    await startJob('r-1-1');
    assert.equal(timeless(await registry.getAgent(pool, 'r-1-1')), { ...idle, busy: true });
    assert.is(await registry.ranJob(pool, 'r-1-1'), true, 'it has taken one');
    assert.is(await registry.jobResult(pool, 'r-1-1'), undefined, 'which is not over');
    assert.is(await registry.removeAgent(pool, 'r-1-1'), 'busy');
    assert.ok(await registry.getAgent(pool, 'r-1-1'), 'a busy agent is still there');

    await finishJob('r-1-1');
    const over = { name: 'r-1-1', online: false, busy: false, ranJob: true };
    assert.equal((await registry.listAgents(pool)).map(timeless), [over]);
    assert.is(await registry.removeAgent(pool, 'r-1-1'), 'removed');
    assert.is(await registry.getAgent(pool, 'r-1-1'), undefined);
    assert.is(await registry.removeAgent(pool, 'r-1-1'), 'removed');
    assert.is(await registry.ranJob(pool, 'r-1-1'), true, 'recent jobs outlive the registration');
    assert.is(await registry.jobResult(pool, 'r-1-1'), 'succeeded');
  });

  test('removes an idle agent that is online', async () => {
    const { registry, pool, connect } = await make();
    await connect('r-2-1');
    assert.is(await registry.removeAgent(pool, 'r-2-1'), 'removed');
    assert.equal(await registry.listAgents(pool), []);
  });

  test('gives a pool one offline placeholder for each system, however often', async () => {
    const { registry, pool } = await make();
    for (const os of ['linux', 'linux', 'windows'] as const) await registry.ensurePlaceholder(pool, os);
    const agents = (await registry.listAgents(pool)).toSorted((a, b) => a.name.localeCompare(b.name));
    assert.equal(agents.map(timeless), [
      { name: 'azdo-batch-agents-placeholder-linux', online: false, busy: false, ranJob: false },
      { name: 'azdo-batch-agents-placeholder-windows', online: false, busy: false, ranJob: false },
    ]);
  });

  test('finds a placeholder and removes it, by whomever it was made or removed before', async () => {
    const { registry, pool } = await make();
    assert.is(await registry.hasPlaceholder(pool, 'linux'), false);
    assert.is(await registry.removePlaceholder(pool, 'linux'), 'absent');
    await registry.ensurePlaceholder(pool, 'linux');
    assert.is(await registry.hasPlaceholder(pool, 'linux'), true);
    assert.is(await registry.hasPlaceholder(pool, 'windows'), false);
    assert.is(await registry.removePlaceholder(pool, 'linux'), 'removed');
    assert.equal(await registry.listAgents(pool), []);
    await registry.ensurePlaceholder(pool, 'linux');
    // As a person may, in the portal.
    await registry.removeAgent(pool, 'azdo-batch-agents-placeholder-linux');
    assert.is(await registry.hasPlaceholder(pool, 'linux'), false);
    await registry.ensurePlaceholder(pool, 'linux');
    assert.is(await registry.hasPlaceholder(pool, 'linux'), true);
  });

  test('never takes a missing pool for one without agents', async () => {
    const { registry } = await make();
    for (const look of [
      registry.listAgents('no such pool'),
      registry.getAgent('no such pool', 'r-1-1'),
      registry.ensurePlaceholder('no such pool', 'linux'),
      registry.hasPlaceholder('no such pool', 'linux'),
      registry.removePlaceholder('no such pool', 'linux'),
    ]) {
      const seen: unknown = await look.then(
        value => value,
        (error: unknown) => error,
      );
      assert.ok(seen instanceof TransientError, String(seen));
      assert.is(seen.failure.code, 'AgentPoolMissing');
    }
    assert.is(await registry.removeAgent('no such pool', 'r-1-1'), 'removed');
  });

  test.run();
}

const timeless = (agent: AgentView | undefined) => {
  if (!agent) return undefined;
  const { createdOn: _, ...rest } = agent;
  return rest;
};
