import { alarm } from './alarm.js';
import { BatchError } from './errors.js';
import { booted, inState, newNode } from './node-states.js';
import { EndedTasks, sampleOf } from './pool-metrics.js';
import {
  idKey,
  type NodeRecord,
  type NodeState,
  type PoolConfig,
  type PoolRecord,
  type RunRecord,
} from './records.js';
import { planResize, type Resize } from './resize.js';
import type { Runs } from './runs.js';
import { Scaling } from './scaling.js';
import { type PlannedNode, planPool, WaitingTasks } from './scheduler.js';
import type { Store } from './store.js';

type Waiting = Parameters<WaitingTasks['add']>[0];

/**
 * The pools and their nodes: nodes come when tasks wait, boot, take tasks into their slots, and go when idle; or they come
 * and go as a formula says.
 */
export class Pools {
  readonly scaling = new Scaling();
  readonly #ended = new EndedTasks();
  #waiting = new Map<string, WaitingTasks>();
  #poolOf = new Map<string, string>();
  #cancelWake: (() => void) | undefined;
  #scheduled = false;
  #closed = false;

  constructor(
    readonly store: Store,
    readonly runs: Runs,
    readonly start: (taskPath: string, poolId: string, nodeId: string) => void,
  ) {}

  /** Brings the configured pools in line with what was kept: changes made over the control API win. */
  configure(configs: readonly PoolConfig[]): void {
    for (const config of configs) {
      const kept = this.store.pools.get(idKey(config.id));
      if (!kept) {
        this.add(config);
        continue;
      }
      const changes = Object.fromEntries(
        Object.entries(kept.config).filter(([name]) => kept.changed.includes(name)),
      );
      // Taken away over the API: the journal can't hold what is not there.
      const noFormula = kept.changed.includes('autoScaleFormula') && { autoScaleFormula: undefined };
      this.store.changePool(kept, { config: { ...config, ...noFormula, ...changes } });
    }
  }

  add(config: PoolConfig): PoolRecord {
    const now = new Date().toISOString();
    const pool: PoolRecord = {
      version: 0,
      creationTime: now,
      lastModified: now,
      stateTransitionTime: now,
      config,
      changed: [],
      deleted: false,
      nodes: [],
    };
    this.store.savePool(pool);
    return pool;
  }

  /** @throws BatchError `PoolNotFound` (404). */
  get(id: string): PoolRecord {
    const pool = this.store.pools.get(idKey(id));
    if (!pool || pool.deleted) throw new BatchError('PoolNotFound');
    return pool;
  }

  list(): PoolRecord[] {
    return [...this.store.pools.values()].filter(({ deleted }) => !deleted);
  }

  change(pool: PoolRecord, changes: Partial<PoolConfig>): void {
    this.store.changePool(pool, {
      config: { ...pool.config, ...changes },
      changed: [...new Set([...pool.changed, ...Object.keys(changes)])],
      deleted: false,
    });
    this.schedule();
  }

  remove(pool: PoolRecord): void {
    for (const { id } of pool.nodes) this.#loseTasks(id);
    this.store.changePool(pool, { deleted: true, nodes: [] });
    this.#waiting.delete(idKey(pool.config.id));
    this.scaling.forget(pool.config.id);
  }

  /** Does to a node what the cloud does: takes it away (`preempted`), breaks it (`unusable`) or mends it (`idle`). */
  setNodeState(pool: PoolRecord, nodeId: string, state: 'unusable' | 'preempted' | 'idle'): void {
    if (!pool.nodes.some(node => node.id === nodeId)) throw new BatchError('NodeNotFound');
    if (state !== 'idle') this.#loseTasks(nodeId);
    this.#saveNodes(pool, node => (node.id === nodeId ? inState(node, state) : node));
    this.schedule();
  }

  enqueue(poolId: string, waiting: Waiting): void {
    const key = idKey(poolId);
    const pool = this.store.pools.get(key);
    // A job on a pool that does not exist is accepted and never runs; so is a task that no node has room for.
    if (!pool || pool.deleted || waiting.slots > pool.config.taskSlotsPerNode) return;
    this.dequeue(waiting.key);
    let tasks = this.#waiting.get(key);
    if (!tasks) {
      tasks = new WaitingTasks();
      this.#waiting.set(key, tasks);
    }
    tasks.add(waiting);
    this.#poolOf.set(waiting.key, key);
    this.schedule();
  }

  dequeue(taskPath: string): void {
    const key = this.#poolOf.get(taskPath);
    if (key === undefined) return;
    this.#poolOf.delete(taskPath);
    this.#waiting.get(key)?.remove(taskPath);
    this.schedule();
  }

  /** @param result absent: the task will run again. */
  taskEnded(run: RunRecord, result: 'success' | 'failure' | undefined): void {
    if (result) this.#ended.add(run.poolId, result);
    const pool = this.store.pools.get(idKey(run.poolId));
    if (!pool) return;
    this.#setNodes(pool, node =>
      node.id === run.nodeId
        ? {
            ...node,
            totalTasksRun: node.totalTasksRun + 1,
            totalTasksSucceeded: node.totalTasksSucceeded + Number(result === 'success'),
          }
        : node,
    );
  }

  /** Plans once everything that happens at this moment has happened. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#plan();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake?.();
  }

  #plan(): void {
    this.#cancelWake?.();
    const now = Date.now();
    const wakes = this.list().flatMap(pool => {
      const { wakeAt } = this.#scale(pool, now);
      this.#resize(this.get(pool.config.id), now);
      return [wakeAt, this.#planPool(this.get(pool.config.id), now)].filter(time => time !== undefined);
    });
    this.#cancelWake = wakes.length > 0 ? alarm(Math.min(...wakes), () => this.schedule()) : undefined;
  }

  /** Samples a pool and evaluates its formula, when that is due. */
  #scale(pool: PoolRecord, now: number): { wakeAt?: number } {
    const waiting = this.#waiting.get(idKey(pool.config.id))?.size ?? 0;
    const { evaluated, ...next } = this.scaling.advance(pool, now, () =>
      sampleOf(pool, waiting, this.store, this.#ended),
    );
    if (evaluated) this.store.changePool(pool, { autoScale: evaluated });
    return next;
  }

  /** Brings a pool nearer to what its formula says, and lets those go that were leaving. */
  #resize(pool: PoolRecord, now: number): void {
    const { config, autoScale } = pool;
    const targets = config.autoScaleFormula === undefined ? undefined : autoScale;
    const resize = planResize({
      nodes: this.#planned(pool),
      targets,
      maxNodes: config.maxNodes,
      canGrow: config.resizeErrors.length === 0,
      idleMs: config.idleMs,
      now,
    });
    const resized = this.#apply(pool, resize, targets?.nodeDeallocationOption ?? 'requeue');
    for (const node of resized.nodes) {
      if (node.state !== 'leavingpool') continue;
      if (node.leaving === 'requeue' || node.leaving === 'terminate') this.#endTasks(node.id, node.leaving);
    }
  }

  #apply(
    pool: PoolRecord,
    { addDedicated, addLowPriority, leave, gone }: Resize,
    leaving: NonNullable<NodeRecord['leaving']>,
  ): PoolRecord {
    if (addDedicated + addLowPriority + leave.length + gone.length === 0) return pool;
    const kept = pool.nodes
      .filter(({ id }) => !gone.includes(id))
      .map(node => (leave.includes(node.id) ? { ...inState(node, 'leavingpool'), leaving } : node));
    const added = [
      ...Array.from({ length: addDedicated }, () => newNode('d')),
      ...Array.from({ length: addLowPriority }, () => newNode('p')),
    ];
    return this.store.changePool(pool, { nodes: [...kept, ...added] });
  }

  #planned({ nodes }: PoolRecord): PlannedNode[] {
    const used = this.store.usedSlots;
    return nodes.map(({ id, state, stateTransitionTime }) => ({
      id,
      state,
      usedSlots: used.get(id) ?? 0,
      since: Date.parse(stateTransitionTime),
    }));
  }

  #planPool(pool: PoolRecord, now: number): number | undefined {
    const { config } = pool;
    const key = idKey(config.id);
    const plan = planPool({
      ...config,
      onDemand: config.autoScaleFormula === undefined,
      canGrow: config.resizeErrors.length === 0,
      nodes: this.#planned(pool),
      waiting: this.#waiting.get(key) ?? new WaitingTasks(),
      now,
    });
    if (plan.addNodes > 0 || plan.removeNodes.length > 0 || plan.booted.length > 0) {
      const kept = pool.nodes
        .filter(({ id }) => !plan.removeNodes.includes(id))
        .map(node => (plan.booted.includes(node.id) ? booted(node) : node));
      const added = Array.from({ length: plan.addNodes }, () => newNode(config.lowPriority ? 'p' : 'd'));
      this.store.changePool(pool, { nodes: [...kept, ...added] });
    }
    for (const { task, node } of plan.placements) {
      this.#poolOf.delete(task);
      this.start(task, config.id, node);
    }
    this.#showBusy(key);
    return plan.wakeAt;
  }

  /** Nodes with a task show as running, others as idle. */
  #showBusy(key: string): void {
    const pool = this.store.pools.get(key);
    if (!pool) return;
    const used = this.store.usedSlots;
    const wrong = (node: NodeRecord): NodeState | undefined => {
      const busy = used.has(node.id);
      if (node.state === 'idle' && busy) return 'running';
      if (node.state === 'running' && !busy) return 'idle';
      return undefined;
    };
    if (!pool.nodes.some(wrong)) return;
    this.#setNodes(pool, node => inState(node, wrong(node) ?? node.state));
    // What has just become idle must be looked at again when its idle time is over.
    this.schedule();
  }

  #loseTasks(nodeId: string): void {
    for (const run of this.store.runs.values()) {
      if (run.nodeId === nodeId) void this.runs.end(run.id, 'lost');
    }
  }

  #endTasks(nodeId: string, intent: 'requeue' | 'terminate'): void {
    for (const run of this.store.runs.values()) {
      if (run.nodeId === nodeId && run.intent === undefined) void this.runs.end(run.id, intent);
    }
  }

  #saveNodes(pool: PoolRecord, change: (node: NodeRecord) => NodeRecord): void {
    this.store.changePool(pool, { nodes: pool.nodes.map(change) });
  }

  /** Not journaled: it follows from the runs, and would be written with every task. */
  #setNodes(pool: PoolRecord, change: (node: NodeRecord) => NodeRecord): void {
    this.store.pools.set(idKey(pool.config.id), { ...pool, nodes: pool.nodes.map(change) });
  }
}
