import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { killSurvivors } from '../processes.js';
import { audit } from './audit/audit.js';
import { collectAgents, collectDeadLetters, collectReplies, collectRows, collectRuns } from './collect.js';
import type { Evidence } from './evidence.js';
import { Ledger } from './ledger.js';
import { Load } from './load.js';
import { auditLogs } from './logs.js';
import { Parts } from './parts.js';
import { Pulse } from './pulse.js';
import { auditQueue, auditRedriven, redriveAll } from './redrive.js';
import { makeSchedule, type ScheduleOptions, type Step } from './schedule.js';
import { findSecrets } from './secrets.js';
import { endRuns, lastLeftovers, untilNothingLives } from './settle.js';
import { deleteTaskHub } from './task-hub.js';
import { WeatherMaker } from './weather.js';
import { openWorld, type World } from './world.js';

export interface ChaosOptions extends ScheduleOptions {
  readonly dataDir: string;
  /** Live requests at the same moment, at most. */
  readonly load: number;
  /** When to stop waiting for an end, in milliseconds from now. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly what: string;
  readonly steps: number;
  readonly of: number;
  readonly live: ReadonlyMap<string, number>;
  readonly kills: number;
}

export interface ChaosResult {
  /** By rule, as sentences. */
  readonly findings: ReadonlyMap<string, readonly string[]>;
  readonly evidence: Evidence;
  /** Nodes that were taken away. */
  readonly preempted: number;
  readonly redriven: number;
  readonly purged: number;
}

/** Starts the product, plays a schedule on it, waits for the end and judges what is there then. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const until = Date.now() + options.limitMs;
  const world = await openWorld(options.dataDir, options.seed, options.signal);
  let result: ChaosResult;
  try {
    result = await play(world, options, until);
  } catch (error) {
    // Why it broke off says more than how the parts ended.
    await world.stack.stop().catch(() => undefined);
    throw error;
  }
  const late = await world.stack.stop().then(
    () => [],
    (error: unknown) => [error instanceof Error ? error.message : String(error)],
  );
  return {
    ...result,
    findings: new Map([
      ...result.findings,
      ['the parts', [...world.lost, ...late, ...(await leftProcesses(options.dataDir))]],
    ]),
  };
}

/** What outlived the parts, which clear up after themselves. */
async function leftProcesses(dataDir: string): Promise<readonly string[]> {
  const left = await killSurvivors({ group: -1, folder: dataDir }, 2_000);
  return left.map(({ pid, command }) => `Process ${pid} outlived the parts: ${command}`);
}

async function play(world: World, options: ChaosOptions, until: number): Promise<ChaosResult> {
  const { stack } = world;
  const { signal } = options;
  const canary = `canary${randomBytes(24).toString('hex')}`;
  const ledger = new Ledger(options.seed);
  const weather = new WeatherMaker(stack);
  const parts = new Parts(stack, part => weather.restore(part));
  const load = new Load({ stack, parts, canary });
  const pulse = new Pulse(stack);
  const forgotten: string[] = [];
  const steps = makeSchedule(options);
  /** Requests on their way to be accepted. */
  const starting = new Set<Promise<void>>();
  let played = 0;
  let what = 'under load';
  let redriven = 0;
  let purged = 0;
  const telling = setInterval(() => {
    options.onProgress({
      what,
      steps: played,
      of: steps.length,
      live: pulse.states,
      kills: parts.kills.length,
    });
  }, 1_000);
  try {
    for (const step of steps) {
      signal.throwIfAborted();
      if (Date.now() > until) throw new Error('The time was up before all requests were made.');
      await act(step);
      played += 1;
    }
    what = 'calming down';
    await parts.untilWhole();
    await weather.clear();
    await Promise.all(starting);
    await load.settle();
    what = 'waiting for the last requests to end';
    const quiet = await untilNothingLives(stack, pulse, until);
    what = 'waiting for the last runs to end';
    const abandoned = await endRuns(stack);
    const leftovers = await lastLeftovers(stack);
    what = 'looking at everything';
    const evidence = await collect(abandoned, leftovers);
    const findings = new Map(audit(evidence));
    if (!quiet) findings.set('time', ['The time was up before all requests had ended.']);
    what = 'redriving';
    findings.set('redrive', await redrive(evidence));
    findings.set('logs', await auditLogs(stack.parts, world.logFile));
    findings.set('secrets', await findSecrets(stack, canary));
    return { findings, evidence, preempted: weather.preempted, redriven, purged };
  } finally {
    clearInterval(telling);
    await pulse.stop();
  }

  async function act(step: Step): Promise<void> {
    switch (step.type) {
      case 'request':
        return request(step);
      case 'kill':
        await parts.untilWhole();
        await weather.note(step.part);
        return parts.kill(step.part, step.afterMs, step.downMs);
      case 'weather':
        await parts.untilWhole();
        await weather.change(step.roll);
        return;
      case 'preempt':
        await parts.untilWhole();
        return weather.preempt();
      case 'forget':
        await parts.untilWhole();
        forgotten.push(new Date().toISOString());
        return deleteTaskHub(stack);
    }
  }

  async function request(step: Extract<Step, { type: 'request' }>): Promise<void> {
    while (pulse.live + starting.size >= options.load) {
      signal.throwIfAborted();
      if (Date.now() > until) return;
      await sleep(50);
    }
    const playing = load.play(step, ledger.open(step));
    starting.add(playing);
    void playing.then(() => starting.delete(playing));
  }

  /** Everything that was given up must come to a good end now, and leave as little as the rest. */
  async function redrive(before: Evidence): Promise<readonly string[]> {
    const done = await redriveAll(stack, before.rows);
    redriven = done.redriven.length;
    purged = done.purged.length;
    const quiet = await untilNothingLives(stack, pulse, until);
    const leftovers = await lastLeftovers(stack);
    const after = await collect(new Set(), leftovers);
    const rules = audit({ ...after, runs: before.runs });
    return [
      ...done.findings,
      ...(quiet ? [] : ['The time was up before all redriven requests had ended.']),
      ...auditRedriven(done.redriven, after.rows),
      ...auditQueue(after.deadLetters.length),
      ...['lost or doubled', 'history', 'left over'].flatMap(rule => rules.get(rule) ?? []),
    ];
  }

  async function collect(abandoned: ReadonlySet<string>, leftovers: readonly string[]): Promise<Evidence> {
    const asked = ledger.all();
    const waiting = new Set(asked.filter(({ kind }) => kind.startsWith('pipeline')).map(({ tag }) => tag));
    const { rows } = await collectRows(stack);
    return {
      asked,
      rows,
      deadLetters: await collectDeadLetters(stack),
      replies: await collectReplies(stack),
      runs: await collectRuns(stack, { waits: name => waiting.has(name), abandoned }),
      agents: await collectAgents(stack),
      kills: parts.kills,
      forgotten,
      bites: weather.bites,
      leftovers,
    };
  }
}
