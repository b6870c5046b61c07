import FlatQueue from 'flatqueue';
import type { Formula, FormulaProblem, NodeDeallocationOption } from '../local/autoscale/formula.js';
import { type Node, Nodes } from './nodes.js';
import { Chance } from './random.js';
import { Samples, samplePeriod } from './samples.js';
import { Meter, type Outcome, TimelineKeeper, waitsOf } from './tally.js';
import { day, hour, minute, type Trace } from './trace/trace.js';
import { Waiting } from './waiting.js';
import type { World } from './world.js';

/** What happens, in the order in which it does when several things happen in the same millisecond. */
const kinds = [
  'taskEnded',
  'nodeReady',
  'requested',
  'evicted',
  'allocate',
  'forgotten',
  'sample',
  'evaluate',
] as const;
type Kind = (typeof kinds)[number];
const requestedRank = kinds.indexOf('requested');

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
  readonly #events = new FlatQueue();
  readonly #nodes: Nodes;
  readonly #waiting = new Waiting();
  readonly #samples: Samples;
  readonly #meter: Meter;
  readonly #timeline: TimelineKeeper;
  /** By task: ms from its request to its agent being online the first time; -1 until it is known. */
  readonly #waits: Float32Array;
  /** By task: on which node it is, when it was given to it, and when it will end. */
  readonly #nodeOf: Int32Array;
  readonly #givenAt: Float64Array;
  readonly #endsAt: Float64Array;
  readonly #boots: Chance;
  readonly #lives: Chance;
  readonly #losses: Chance;
  readonly #removals: Chance;
  #now = 0;
  #next = 0;
  #running = 0;
  #succeeded = 0;
  #target = { spot: 0, dedicated: 0 };
  #deallocation: NodeDeallocationOption = 'requeue';
  #preempted = 0;
  #resizingSince: number | undefined;
  #allocating = false;
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
    const count = trace.at.length;
    this.#nodes = new Nodes(world);
    this.#samples = new Samples(trace.startsAt);
    this.#meter = new Meter(world.slots);
    this.#timeline = new TimelineKeeper(trace.lasts);
    this.#waits = new Float32Array(count).fill(-1);
    this.#nodeOf = new Int32Array(count).fill(-1);
    this.#givenAt = new Float64Array(count);
    this.#endsAt = new Float64Array(count);
    this.#boots = new Chance(world.seed, 'boots');
    this.#lives = new Chance(world.seed, 'lives');
    this.#losses = new Chance(world.seed, 'losses');
    this.#removals = new Chance(world.seed, 'removals');
  }

  run(): Outcome {
    const { firstEvaluationMinutes, intervalMinutes, seed } = this.world;
    this.#at('sample', 0);
    this.#at(
      'evaluate',
      (firstEvaluationMinutes ?? new Chance(seed, 'first evaluation').between(0, intervalMinutes)) * minute,
    );
    while (!this.#isOver()) this.#step();
    for (const node of this.#nodes.all) this.#meter.node(node.spot, this.#now - node.since);
    return {
      requests: this.trace.at.length,
      ...waitsOf(this.#waits),
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

  /** @param which a task or a node, where the kind is about one */
  #at(kind: Kind, time: number, which = 0): void {
    const rank = kinds.indexOf(kind);
    this.#events.push(which * kinds.length + rank, Math.round(time) * kinds.length + rank);
  }

  #step(): void {
    const requestedAt = this.trace.at[this.#next];
    const requested =
      requestedAt === undefined
        ? Number.POSITIVE_INFINITY
        : Math.round(requestedAt) * kinds.length + requestedRank;
    if (requested < (this.#events.peekValue() ?? Number.POSITIVE_INFINITY)) {
      this.#now = Math.round(requestedAt ?? 0);
      this.#enqueue(this.#next);
      this.#next += 1;
      return;
    }
    this.#now = Math.floor((this.#events.peekValue() ?? 0) / kinds.length);
    const event = this.#events.pop() ?? 0;
    const which = Math.floor(event / kinds.length);
    switch (kinds[event % kinds.length]) {
      case 'taskEnded':
        return this.#taskEnded(which);
      case 'nodeReady':
        return this.#nodeReady(which);
      case 'evicted':
        return this.#evicted(which);
      case 'allocate':
        this.#allocating = false;
        return this.#allocate();
      case 'forgotten':
        return this.#forgotten(which);
      case 'sample':
        return this.#sample();
      case 'evaluate':
        return this.#evaluate();
      case 'requested':
      case undefined:
        throw new Error(`There is no event ${event}.`);
    }
  }

  #isOver(): boolean {
    if (this.#now < this.trace.lasts || this.#next < this.trace.at.length) return false;
    if (this.#running > 0) return false;
    if (this.#waiting.size > 0) return this.#now >= this.trace.lasts + waitLimit;
    return (
      this.#nodes.all.length === 0 || this.#now >= Math.max(this.trace.lasts, this.#lastTaskEnd) + idleLimit
    );
  }

  // Tasks ------------------------------------------------------------------------------------------------------------

  #slotsOf(task: number): number {
    return this.trace.slots[task] ?? 1;
  }

  #enqueue(task: number): void {
    const slots = this.#slotsOf(task);
    // Older ones may wait for more slots than there are: then this one may pass, as Batch lets it.
    const node = this.#nodes.fitting(slots);
    if (node) this.#give(task, node);
    else this.#waiting.add(task, slots);
  }

  #give(task: number, node: Node): void {
    const { startSeconds, registerSeconds, pullSeconds } = this.world;
    if (node.imageReadyAt === Number.POSITIVE_INFINITY) node.imageReadyAt = this.#now + pullSeconds * 1000;
    const online = Math.max(this.#now, node.imageReadyAt) + (startSeconds + registerSeconds) * 1000;
    if ((this.#waits[task] ?? 0) < 0) this.#waits[task] = online - (this.trace.at[task] ?? 0);
    node.free -= this.#slotsOf(task);
    node.tasks.push(task);
    this.#running += 1;
    this.#nodeOf[task] = node.id;
    this.#givenAt[task] = this.#now;
    const ends = Math.round(online + (this.trace.runs[task] ?? 0));
    this.#endsAt[task] = ends;
    this.#at('taskEnded', ends, task);
  }

  #taskEnded(task: number): void {
    // A task that was interrupted ends at another time, or not at all.
    const node = this.#nodes.get(this.#nodeOf[task] ?? -1);
    if (!node || this.#endsAt[task] !== this.#now || !node.tasks.includes(task)) return;
    this.#succeeded += 1;
    this.#leave(task, node);
    if (!node.leaving) this.#fill(node);
    else if (node.tasks.length === 0) this.#dismiss(node);
  }

  #leave(task: number, node: Node): void {
    node.tasks.splice(node.tasks.indexOf(task), 1);
    node.free += this.#slotsOf(task);
    this.#nodeOf[task] = -1;
    this.#running -= 1;
    this.#lastTaskEnd = this.#now;
    this.#meter.task(this.#slotsOf(task), this.#now - (this.#givenAt[task] ?? 0));
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
    for (const task of [...node.tasks]) {
      const onlineAt = (this.trace.at[task] ?? 0) + (this.#waits[task] ?? 0);
      if (onlineAt > this.#now) this.#waits[task] = -1;
      this.#interrupted += 1;
      this.#leave(task, node);
      if (then === 'requeue') this.#enqueue(task);
    }
  }

  // Nodes ------------------------------------------------------------------------------------------------------------

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
    // It stays in the pool as preempted, and Batch tries to have it back.
    if (stayed) {
      this.#preempted += 1;
      this.#soonAllocate(this.world.resizeSeconds * 1000);
    }
  }

  #remove(node: Node): void {
    this.#meter.node(node.spot, this.#now - node.since);
    this.#nodes.remove(node);
  }

  /** The last task of a node that is to go has ended. */
  #dismiss(node: Node): void {
    if (this.#deallocation === 'retaineddata') this.#at('forgotten', this.#now + retention, node.id);
    else this.#remove(node);
  }

  #forgotten(id: number): void {
    const node = this.#nodes.get(id);
    if (node) this.#remove(node);
  }

  #soonAllocate(afterMs: number): void {
    if (this.#allocating) return;
    this.#allocating = true;
    this.#at('allocate', this.#now + afterMs);
  }

  #allocate(): void {
    let lacks = false;
    for (const spot of [true, false]) {
      const target = spot ? this.#target.spot : this.#target.dedicated;
      const quota = spot ? this.world.quotaSpot : this.world.quotaDedicated;
      let missing = target - this.#nodes.staying(spot).length;
      let allowed = spot && this.#spotIsShort() ? 0 : quota - this.#nodes.count(spot);
      for (; missing > 0 && allowed > 0; missing -= 1, allowed -= 1) this.#bring(spot);
      if (missing > 0) lacks = true;
    }
    if (lacks) this.#soonAllocate(retryMs);
  }

  #bring(spot: boolean): void {
    if (spot && this.#preempted > 0) this.#preempted -= 1;
    const { bootMinutes, bootSpread, prefetch, pullSeconds, evictionsPerHour } = this.world;
    const node = this.#nodes.add(spot, this.#now);
    const boot = this.#boots.around(bootMinutes, bootSpread) * minute + (prefetch ? pullSeconds * 1000 : 0);
    this.#at('nodeReady', this.#now + boot, node.id);
    const lives = this.#lives.until(evictionsPerHour) * hour;
    if (spot && Number.isFinite(lives)) this.#at('evicted', this.#now + lives, node.id);
    this.#peakNodes = Math.max(this.#peakNodes, this.#nodes.all.length);
  }

  #spotIsShort(): boolean {
    const hourOfDay = ((this.trace.startsAt + this.#now) % day) / hour;
    return this.world.spotShort.some(({ from, to }) =>
      from <= to ? hourOfDay >= from && hourOfDay < to : hourOfDay >= from || hourOfDay < to,
    );
  }

  /** Takes nodes away until the target is met, as far as it can be at once. */
  #shrink(spot: boolean, target: number): void {
    const staying = this.#nodes.staying(spot);
    if (spot) this.#preempted = Math.min(this.#preempted, Math.max(0, target - staying.length));
    const surplus = staying.length - target;
    if (surplus <= 0) return;
    const leaving =
      this.world.removal === 'any'
        ? shuffled(staying, this.#removals)
        : staying.toSorted(
            (one, other) =>
              one.tasks.length - other.tasks.length ||
              Number(one.ready) - Number(other.ready) ||
              one.id - other.id,
          );
    const waits = this.#deallocation === 'taskcompletion' || this.#deallocation === 'retaineddata';
    const chosen = leaving.slice(0, surplus);
    // All at once, lest a task be given to a node that is the next to go.
    for (const node of chosen) node.leaving = true;
    for (const node of chosen) {
      if (waits && node.tasks.length > 0) continue;
      this.#interrupt(node, this.#deallocation === 'terminate' ? 'terminate' : 'requeue');
      this.#dismiss(node);
    }
  }

  // The service -------------------------------------------------------------------------------------------------------

  #sample(): void {
    const spot = this.#nodes.count(true);
    const dedicated = this.#nodes.all.length - spot;
    const waiting = this.#waiting.size;
    this.#timeline.add(this.#now, { waiting, running: this.#running, spot, dedicated });
    this.#at('sample', this.#now + samplePeriod);
    if (this.world.sampleLoss > 0 && this.#losses.share() < this.world.sampleLoss) return;
    let usable = 0;
    for (const node of this.#nodes.all) if (node.ready) usable += 1;
    this.#samples.add(this.#now, [
      waiting,
      this.#running,
      waiting + this.#running,
      this.#succeeded,
      dedicated,
      spot + this.#preempted,
      this.#preempted,
      usable,
      usable,
    ]);
  }

  #evaluate(): void {
    this.#at('evaluate', this.#now + this.world.intervalMinutes * minute);
    if (this.world.whileResizing === 'wait' && this.#isResizing()) return;
    this.#resizingSince = undefined;
    this.#evaluations += 1;
    const result = this.formula.evaluate({
      now: this.trace.startsAt + this.#now,
      history: this.#samples.seenUntil(this.#now - this.world.sampleDelaySeconds * 1000),
      targetDedicatedNodes: this.#target.dedicated,
      targetLowPriorityNodes: this.#target.spot,
      taskSlotsPerNode: this.world.slots,
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
    this.#shrink(true, this.#target.spot);
    this.#shrink(false, this.#target.dedicated);
    if (this.#lacks(true) || this.#lacks(false)) this.#soonAllocate(this.world.resizeSeconds * 1000);
  }

  #lacks(spot: boolean): boolean {
    return this.#nodes.staying(spot).length < (spot ? this.#target.spot : this.#target.dedicated);
  }

  #isResizing(): boolean {
    const resizing =
      this.#lacks(true) || this.#lacks(false) || this.#nodes.all.some(({ leaving }) => leaving);
    if (!resizing) return false;
    this.#resizingSince ??= this.#now;
    return this.#now - this.#resizingSince < resizeTimeout;
  }
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  return items
    .map(item => ({ item, order: chance.share() }))
    .toSorted((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
