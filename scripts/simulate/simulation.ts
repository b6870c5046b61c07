import type { Formula, FormulaProblem, NodeDeallocationOption } from '../local/autoscale/formula.js';
import { SampleRecorder } from '../local/autoscale/sample-recorder.js';
import { Events, type Kind } from './events.js';
import { type Node, Nodes } from './nodes.js';
import { Chance } from './random.js';
import { inOrderOfRemoval } from './removal.js';
import { Meter, type Outcome, TimelineKeeper, waitsOf } from './tally.js';
import { Tasks } from './tasks.js';
import { day, hour, minute, type Trace } from './trace/trace.js';
import { Waiting } from './waiting.js';
import type { World } from './world.js';

const samplePeriod = 30_000;
/** Batch goes on trying for nodes that it did not get. */
const retryMs = minute;
/** A resize that has not reached its target by then is over. */
const resizeTimeout = 15 * minute;
/** How long the data of a task keeps its node under `retaineddata`, as Batch has it where a task says nothing. */
const retention = 7 * day;
/** After the trace nodes may stay this long without a task, and tasks may wait this long, before it ends anyway. */
const idleLimit = 4 * hour;
const waitLimit = day;

/** Plays a trace against a pool that a formula scales. The same arguments give the same outcome. */
export function simulate(trace: Trace, formula: Formula, world: World): Outcome {
  return new Simulation(trace, formula, world).run();
}

class Simulation {
  readonly #events = new Events();
  readonly #nodes: Nodes;
  readonly #tasks: Tasks;
  readonly #waiting = new Waiting();
  readonly #samples: SampleRecorder;
  readonly #meter: Meter;
  readonly #timeline: TimelineKeeper;
  readonly #boots: Chance;
  readonly #lives: Chance;
  readonly #losses: Chance;
  readonly #removals: Chance;
  #now = 0;
  /** The first task that has not been asked for yet. */
  #next = 0;
  #running = 0;
  #succeeded = 0;
  #target = { spot: 0, dedicated: 0 };
  #deallocation: NodeDeallocationOption = 'requeue';
  /** Spot nodes that were taken back and that Batch tries to have again; they still belong to the pool. */
  #preempted = 0;
  #resizingSince: number | undefined;
  #willAllocate = false;
  #lastTaskEnd = 0;
  #peakNodes = 0;
  #evictions = 0;
  #interrupted = 0;
  #evaluations = 0;
  #failedEvaluations = 0;
  #problem: FormulaProblem | undefined;

  constructor(
    private readonly trace: Trace,
    private readonly formula: Formula,
    private readonly world: World,
  ) {
    this.#nodes = new Nodes(world);
    this.#tasks = new Tasks(trace, world);
    this.#samples = new SampleRecorder({ periodMs: samplePeriod, delayMs: world.sampleDelaySeconds * 1000 });
    this.#meter = new Meter(world.slots);
    this.#timeline = new TimelineKeeper(trace.lasts);
    this.#boots = new Chance(world.seed, 'boots');
    this.#lives = new Chance(world.seed, 'lives');
    this.#losses = new Chance(world.seed, 'losses');
    this.#removals = new Chance(world.seed, 'removals');
  }

  run(): Outcome {
    const { firstEvaluationMinutes, intervalMinutes, seed } = this.world;
    const first = firstEvaluationMinutes ?? new Chance(seed, 'first evaluation').between(0, intervalMinutes);
    this.#events.at('sample', 0);
    this.#events.at('evaluate', first * minute);
    while (!this.#isOver()) this.#step();
    for (const node of this.#nodes.all) this.#meter.node(node.spot, this.#now - node.since);
    return {
      requests: this.trace.at.length,
      ...waitsOf(this.#tasks.waits),
      ...this.#meter.read(),
      peakNodes: this.#peakNodes,
      evictions: this.#evictions,
      interrupted: this.#interrupted,
      evaluations: this.#evaluations,
      failedEvaluations: this.#failedEvaluations,
      ...(this.#problem && { problem: this.#problem }),
      timeline: this.#timeline,
    };
  }

  #step(): void {
    const requestedAt = this.trace.at[this.#next];
    if (requestedAt !== undefined && this.#events.isBefore('requested', requestedAt)) {
      this.#now = Math.round(requestedAt);
      this.#enqueue(this.#next);
      this.#next += 1;
      return;
    }
    const { kind, time, which } = this.#events.take();
    this.#now = time;
    this.#happens[kind](which);
  }

  readonly #happens: Readonly<Record<Kind, (which: number) => void>> = {
    requested: task => this.#enqueue(task),
    taskEnded: task => this.#taskEnded(task),
    nodeReady: id => this.#nodeReady(id),
    evicted: id => this.#evicted(id),
    forgotten: id => this.#forgotten(id),
    allocate: () => this.#allocate(),
    sample: () => this.#sample(),
    evaluate: () => this.#evaluate(),
  };

  #isOver(): boolean {
    const { at, lasts } = this.trace;
    if (this.#now < lasts || this.#next < at.length || this.#running > 0) return false;
    if (this.#waiting.size > 0) return this.#now >= lasts + waitLimit;
    return this.#nodes.all.length === 0 || this.#now >= Math.max(lasts, this.#lastTaskEnd) + idleLimit;
  }

  /** Those that are older and wait need more slots than any node has free: Batch lets this one pass. */
  #enqueue(task: number): void {
    const node = this.#nodes.fitting(this.#tasks.slotsOf(task));
    if (node) this.#give(task, node);
    else this.#waiting.add(task, this.#tasks.slotsOf(task));
  }

  #give(task: number, node: Node): void {
    this.#events.at('taskEnded', this.#tasks.give(task, node, this.#now), task);
    this.#running += 1;
  }

  #taskEnded(task: number): void {
    const node = this.#nodes.get(this.#tasks.nodeEndingAt(task, this.#now) ?? -1);
    if (!node) return;
    this.#succeeded += 1;
    this.#count(task, this.#tasks.leave(task, node, this.#now));
    if (!node.leaving) this.#fill(node);
    else if (node.tasks.length === 0) this.#dismiss(node);
  }

  #count(task: number, tookMs: number): void {
    this.#running -= 1;
    this.#lastTaskEnd = this.#now;
    this.#meter.task(this.#tasks.slotsOf(task), tookMs);
  }

  #fill(node: Node): void {
    while (this.#waiting.size > 0 && node.free > 0) {
      const task = this.#waiting.takeFitting(node.free);
      if (task === undefined) return;
      this.#give(task, node);
    }
  }

  /** Stops what runs on a node. */
  #interrupt(node: Node, then: 'requeue' | 'terminate'): void {
    for (const task of node.tasks.slice()) {
      this.#interrupted += 1;
      this.#count(task, this.#tasks.interrupt(task, node, this.#now));
      if (then === 'requeue') this.#enqueue(task);
    }
  }

  #nodeReady(id: number): void {
    const node = this.#nodes.get(id);
    if (!node || node.leaving) return;
    node.ready = true;
    if (this.world.prefetch) node.imageReadyAt = this.#now;
    this.#fill(node);
  }

  #evicted(id: number): void {
    const node = this.#nodes.get(id);
    if (!node) return;
    this.#evictions += 1;
    const stayed = !node.leaving;
    node.leaving = true;
    this.#interrupt(node, 'requeue');
    this.#remove(node);
    if (!stayed) return;
    this.#preempted += 1;
    this.#allocateIn(this.world.resizeSeconds * 1000);
  }

  #remove(node: Node): void {
    this.#meter.node(node.spot, this.#now - node.since);
    this.#nodes.remove(node);
  }

  /** Nothing runs any more on a node that is to go. */
  #dismiss(node: Node): void {
    if (this.#deallocation === 'retaineddata') this.#events.at('forgotten', this.#now + retention, node.id);
    else this.#remove(node);
  }

  #forgotten(id: number): void {
    const node = this.#nodes.get(id);
    if (node) this.#remove(node);
  }

  #allocateIn(ms: number): void {
    if (this.#willAllocate) return;
    this.#willAllocate = true;
    this.#events.at('allocate', this.#now + ms);
  }

  #allocate(): void {
    this.#willAllocate = false;
    for (const spot of [true, false]) {
      const quota = spot ? this.world.quotaSpot : this.world.quotaDedicated;
      const allowed = spot && this.#spotIsShort() ? 0 : quota - this.#nodes.count(spot);
      for (let left = Math.min(this.#missing(spot), allowed); left > 0; left -= 1) this.#bring(spot);
    }
    if (this.#missing(true) > 0 || this.#missing(false) > 0) this.#allocateIn(retryMs);
  }

  #bring(spot: boolean): void {
    if (spot && this.#preempted > 0) this.#preempted -= 1;
    const { bootMinutes, bootSpread, prefetch, pullSeconds, evictionsPerHour } = this.world;
    const node = this.#nodes.add(spot, this.#now);
    const bootMs = this.#boots.around(bootMinutes, bootSpread) * minute + (prefetch ? pullSeconds * 1000 : 0);
    this.#events.at('nodeReady', this.#now + bootMs, node.id);
    const livesMs = this.#lives.until(evictionsPerHour) * hour;
    if (spot && Number.isFinite(livesMs)) this.#events.at('evicted', this.#now + livesMs, node.id);
    this.#peakNodes = Math.max(this.#peakNodes, this.#nodes.all.length);
  }

  #spotIsShort(): boolean {
    const hourOfDay = ((this.trace.startsAt + this.#now) % day) / hour;
    return this.world.spotShort.some(({ from, to }) =>
      from <= to ? hourOfDay >= from && hourOfDay < to : hourOfDay >= from || hourOfDay < to,
    );
  }

  #missing(spot: boolean): number {
    return (spot ? this.#target.spot : this.#target.dedicated) - this.#nodes.staying(spot).length;
  }

  /** Takes surplus nodes away, as far as that can be done at once. */
  #shrink(spot: boolean): void {
    const missing = this.#missing(spot);
    if (spot) this.#preempted = Math.min(this.#preempted, Math.max(0, missing));
    if (missing >= 0) return;
    const { removal } = this.world;
    const order = inOrderOfRemoval(this.#nodes.staying(spot), removal, this.#removals);
    const chosen = order.slice(0, -missing);
    // All at once, lest a task be given to a node that is the next to go.
    for (const node of chosen) node.leaving = true;
    const waits = this.#deallocation === 'taskcompletion' || this.#deallocation === 'retaineddata';
    for (const node of chosen) {
      if (waits && node.tasks.length > 0) continue;
      this.#interrupt(node, this.#deallocation === 'terminate' ? 'terminate' : 'requeue');
      this.#dismiss(node);
    }
  }

  #sample(): void {
    const spot = this.#nodes.count(true);
    const dedicated = this.#nodes.all.length - spot;
    const waiting = this.#waiting.size;
    this.#timeline.add(this.#now, { waiting, running: this.#running, spot, dedicated });
    this.#events.at('sample', this.#now + samplePeriod);
    if (this.world.sampleLoss > 0 && this.#losses.share() < this.world.sampleLoss) return;
    const usable = this.#nodes.all.filter(({ ready }) => ready).length;
    this.#samples.record(this.trace.startsAt + this.#now, {
      $ActiveTasks: waiting,
      $RunningTasks: this.#running,
      $PendingTasks: waiting + this.#running,
      $SucceededTasks: this.#succeeded,
      $FailedTasks: 0,
      $CurrentDedicatedNodes: dedicated,
      $CurrentLowPriorityNodes: spot + this.#preempted,
      $PreemptedNodeCount: this.#preempted,
      $UsableNodeCount: usable,
      $SampleNodeCount: usable,
      $TaskSlotsPerNode: this.world.slots,
    });
  }

  #evaluate(): void {
    this.#events.at('evaluate', this.#now + this.world.intervalMinutes * minute);
    if (this.world.whileResizing === 'wait' && this.#isResizing()) return;
    this.#resizingSince = undefined;
    this.#evaluations += 1;
    const spotNodes = this.#nodes.count(true);
    const now = this.trace.startsAt + this.#now;
    const result = this.formula.evaluate({
      now,
      history: this.#samples.seenAt(now),
      targetDedicatedNodes: this.#target.dedicated,
      targetLowPriorityNodes: this.#target.spot,
      taskSlotsPerNode: this.world.slots,
      currentDedicatedNodes: this.#nodes.all.length - spotNodes,
      currentLowPriorityNodes: spotNodes + this.#preempted,
    });
    if (result.error) {
      this.#failedEvaluations += 1;
      this.#problem ??= result.error;
      return;
    }
    this.#deallocation = result.nodeDeallocationOption ?? 'requeue';
    this.#target = {
      spot: result.targetLowPriorityNodes ?? this.#target.spot,
      dedicated: result.targetDedicatedNodes ?? this.#target.dedicated,
    };
    this.#shrink(true);
    this.#shrink(false);
    if (this.#missing(true) > 0 || this.#missing(false) > 0) {
      this.#allocateIn(this.world.resizeSeconds * 1000);
    }
  }

  #isResizing(): boolean {
    const resizes =
      this.#missing(true) > 0 || this.#missing(false) > 0 || this.#nodes.all.some(({ leaving }) => leaving);
    if (!resizes) return false;
    this.#resizingSince ??= this.#now;
    return this.#now - this.#resizingSince < resizeTimeout;
  }
}
