import type { EvaluationInput, Formula } from '../autoscale/formula.js';
import { SampleRecorder, type Samples } from '../autoscale/sample-recorder.js';
import { readFormula, runOf, tryFormula } from './autoscale.js';
import {
  type AutoScaleRun,
  type AutoScaleState,
  idKey,
  type PoolConfig,
  type PoolRecord,
} from './records.js';
import { isDedicated, type Targets } from './resize.js';

interface PoolScaling {
  readonly formula: Formula;
  readonly evaluationMs: number;
  nextEvaluation: number;
  nextSample: number;
}

/** Samples pools that follow a formula, and evaluates it when that is due. Whoever calls says what time it is. */
export class Scaling {
  readonly #formulas = new Map<string, Formula>();
  readonly #pools = new Map<string, PoolScaling>();
  /** Kept beside: a new formula sees the samples that the one before saw. */
  readonly #recorders = new Map<string, SampleRecorder>();

  /**
   * Reads a pool's formula, if it has one. Must be done before a pool gets it.
   *
   * @throws FormulaError with every problem.
   */
  async prepare(text: string | undefined): Promise<void> {
    if (text !== undefined && !this.#formulas.has(text)) this.#formulas.set(text, await readFormula(text));
  }

  /**
   * Does what is due by now.
   *
   * @returns what came of it, if the formula was evaluated, and when to come again.
   */
  advance(
    pool: PoolRecord,
    now: number,
    measure: () => Samples,
  ): { evaluated?: AutoScaleState; wakeAt?: number } {
    const scaling = this.#scalingOf(pool, now);
    if (!scaling) return {};
    const recorder = this.#recorderOf(pool.config);
    // One that is new, as when the pool is to be sampled more often, waits for no sample of the one before.
    if (now >= scaling.nextSample || recorder.size === 0) {
      recorder.record(now, measure());
      // Not by counting on from the last: after a pause there must be a gap, not a burst.
      scaling.nextSample = now + pool.config.sampleMs;
    }
    let evaluated: AutoScaleState | undefined;
    if (now >= scaling.nextEvaluation) {
      evaluated = this.#evaluate(scaling.formula, pool, now);
      scaling.nextEvaluation = now + scaling.evaluationMs;
    }
    const wakeAt = Math.min(scaling.nextSample, scaling.nextEvaluation);
    return { wakeAt, ...(evaluated && { evaluated }) };
  }

  /** @throws BatchError `AutoScaleFormulaTooLong` (400). */
  tryFormula(text: string, pool: PoolRecord, now: number): Promise<AutoScaleRun> {
    return tryFormula(text, this.#inputOf(pool, now));
  }

  forget(poolId: string): void {
    this.#pools.delete(idKey(poolId));
    this.#recorders.delete(idKey(poolId));
  }

  #scalingOf(pool: PoolRecord, now: number): PoolScaling | undefined {
    const { config, autoScale } = pool;
    const key = idKey(config.id);
    const formula =
      config.autoScaleFormula === undefined ? undefined : this.#formulas.get(config.autoScaleFormula);
    if (!formula) {
      this.forget(key);
      return undefined;
    }
    const known = this.#pools.get(key);
    const evaluationMs = config.autoScaleEvaluationMs;
    if (known?.formula === formula && known.evaluationMs === evaluationMs) return known;
    // A server that was started again keeps to the schedule; a new formula or interval begins a new one.
    const last =
      autoScale?.formula === formula.text && !known ? Date.parse(autoScale.run.timestamp) : undefined;
    const nextEvaluation = last === undefined ? now : last + evaluationMs;
    const scaling = { formula, evaluationMs, nextEvaluation, nextSample: known?.nextSample ?? now };
    this.#pools.set(key, scaling);
    return scaling;
  }

  #evaluate(formula: Formula, pool: PoolRecord, now: number): AutoScaleState {
    const input = this.#inputOf(pool, now);
    const evaluation = formula.evaluate(input);
    const { targetDedicatedNodes, targetLowPriorityNodes, nodeDeallocationOption } = evaluation;
    return {
      formula: formula.text,
      run: runOf(evaluation, now),
      targetDedicatedNodes: targetDedicatedNodes ?? input.targetDedicatedNodes,
      targetLowPriorityNodes: targetLowPriorityNodes ?? input.targetLowPriorityNodes,
      nodeDeallocationOption: nodeDeallocationOption ?? 'requeue',
    };
  }

  #inputOf(pool: PoolRecord, now: number): EvaluationInput {
    const { targetDedicatedNodes, targetLowPriorityNodes } = targetsOf(pool);
    return {
      now,
      history: this.#recorderOf(pool.config).seenAt(now),
      targetDedicatedNodes,
      targetLowPriorityNodes,
      taskSlotsPerNode: pool.config.taskSlotsPerNode,
      currentDedicatedNodes: pool.nodes.filter(({ id }) => isDedicated(id)).length,
      currentLowPriorityNodes: pool.nodes.filter(({ id }) => !isDedicated(id)).length,
    };
  }

  #recorderOf({ id, sampleMs, sampleDelayMs }: PoolConfig): SampleRecorder {
    const key = idKey(id);
    const known = this.#recorders.get(key);
    if (known?.periodMs === sampleMs && known.delayMs === sampleDelayMs) return known;
    const recorder = new SampleRecorder({
      periodMs: sampleMs,
      delayMs: sampleDelayMs,
      // A day of the service's; as many of shorter ones.
      keepMs: keptSamples * sampleMs,
    });
    this.#recorders.set(key, recorder);
    return recorder;
  }
}

const keptSamples = 2_880;

/** How many nodes a pool is to have: what its formula said last, else as many as it has. */
export function targetsOf({ autoScale, config, nodes }: PoolRecord): Targets {
  if (autoScale && config.autoScaleFormula !== undefined) return autoScale;
  const present = nodes.filter(({ state }) => state !== 'preempted' && state !== 'leavingpool');
  const dedicated = present.filter(({ id }) => isDedicated(id)).length;
  return {
    targetDedicatedNodes: dedicated,
    targetLowPriorityNodes: present.length - dedicated,
    nodeDeallocationOption: 'requeue',
  };
}
