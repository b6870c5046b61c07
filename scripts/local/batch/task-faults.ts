import * as z from 'zod';
import { Recent } from '../faults/recent.js';
import { glob } from '../faults/rule.js';
import { Trigger } from '../faults/trigger.js';
import { type FailureCode, failureCodes } from './task-outcome.js';

/** What the environment variable is called that tells the local agent how to misbehave (agent/fault.ts). */
const agentVariable = 'AZDO_LOCAL_FAULT';

const Milliseconds = z.int().min(0).max(600_000);
const afterMs = Milliseconds.default(0);

const rule = {
  /** Which tasks: `*` stands for any run of characters, case does not count. */
  pool: z.string().default('*'),
  job: z.string().default('*'),
  task: z.string().default('*'),
  /** Of the container; tasks without one have the image ``. */
  image: z.string().default('*'),
  /** Let this many matching tasks start unharmed. */
  after: z.int().min(0).default(0),
  /** Harm at most so many; absent: all. */
  count: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).default(1),
};

/** One way in which tasks, or what runs in them, go wrong. A task that runs once more counts once more. */
export const TaskFault = z.discriminatedUnion('does', [
  /** It never runs: completed with this `failureInfo`, after so long (an image is looked for in vain). */
  z.strictObject({
    ...rule,
    does: z.literal('failToStart'),
    code: z.enum(failureCodes).default('ContainerInvalidImage'),
    afterMs,
  }),
  /** It is ended as if its `maxWallClockTime` were over, so long after its start. */
  z.strictObject({ ...rule, does: z.literal('wallClock'), afterMs }),
  /** All its processes get SIGKILL, as when memory runs out, so long after its start. */
  z.strictObject({ ...rule, does: z.literal('kill'), afterMs }),
  /** Its node is taken away (its tasks run again elsewhere), or breaks, so long after its start. */
  z.strictObject({ ...rule, does: z.literal('preemptNode'), afterMs }),
  z.strictObject({ ...rule, does: z.literal('breakNode'), afterMs }),

  // What follows is done by the local agent, which is told by its environment; other programs take no notice.
  /** It runs, and never registers. */
  z.strictObject({ ...rule, does: z.literal('neverRegister') }),
  z.strictObject({ ...rule, does: z.literal('registerLate'), afterMs }),
  /** It ends at once. */
  z.strictObject({ ...rule, does: z.literal('exit'), exitCode: z.int().min(0).max(255).default(1) }),
  /** It gets SIGKILL so long after it came online, unless its job came first. */
  z.strictObject({ ...rule, does: z.literal('dieBeforeJob'), afterMs }),
  /** It gets SIGKILL so long after its job began. */
  z.strictObject({ ...rule, does: z.literal('dieInJob'), afterMs }),
  /** The clock of its node is wrong by so much; ahead when positive. */
  z.strictObject({ ...rule, does: z.literal('skewClock'), seconds: z.number().default(600) }),
]);
export type TaskFault = z.infer<typeof TaskFault>;

export interface StartedTask {
  readonly pool: string;
  readonly job: string;
  readonly task: string;
  readonly image: string;
}

interface LiveFault {
  readonly fault: TaskFault;
  readonly patterns: Readonly<Record<keyof StartedTask, RegExp>>;
  readonly trigger: Trigger;
}

interface TaskBite extends StartedTask {
  readonly at: string;
  readonly does: TaskFault['does'];
}

/** The rules in force for tasks, and the log of whom they met. */
export class TaskFaults {
  readonly #bites = new Recent<TaskBite>();
  #rules: LiveFault[] = [];
  #round = 0;

  constructor(readonly seed: number) {}

  replace(rules: readonly TaskFault[]): void {
    // The same rules put again must not repeat the same chances.
    this.#round += 1;
    this.#rules = rules.map((fault, index) => ({
      fault,
      patterns: {
        pool: glob(fault.pool),
        job: glob(fault.job),
        task: glob(fault.task),
        image: glob(fault.image),
      },
      trigger: new Trigger(fault, this.seed, `task ${this.#round}/${index}`),
    }));
  }

  list(): object[] {
    return this.#rules.map(({ fault, trigger: { seen, bitten } }) => ({ ...fault, seen, bitten }));
  }

  bites(after: number): ReadonlyArray<TaskBite & { readonly n: number }> {
    return this.#bites.after(after);
  }

  /** What is to go wrong with a task that is about to start. */
  decide(started: StartedTask): TaskFault | undefined {
    for (const { fault, patterns, trigger } of this.#rules) {
      const { pool, job, task, image } = patterns;
      const matches =
        pool.test(started.pool) &&
        job.test(started.job) &&
        task.test(started.task) &&
        image.test(started.image);
      if (!matches || !trigger.bites('', Date.now())) continue;
      this.#bites.add({ at: new Date().toISOString(), does: fault.does, ...started });
      return fault;
    }
    return undefined;
  }
}

/** Those that the agent does itself. */
const ofTheAgent: ReadonlySet<TaskFault['does']> = new Set([
  'neverRegister',
  'registerLate',
  'exit',
  'dieBeforeJob',
  'dieInJob',
  'skewClock',
]);

/** What the fault adds to the environment of the task. */
export function faultEnvironment(fault: TaskFault | undefined): Record<string, string> {
  if (!fault || !ofTheAgent.has(fault.does)) return {};
  const told = {
    does: fault.does,
    ...('afterMs' in fault && { afterMs: fault.afterMs }),
    ...('exitCode' in fault && { exitCode: fault.exitCode }),
    ...('seconds' in fault && { seconds: fault.seconds }),
  };
  return { [agentVariable]: JSON.stringify(told) };
}

export interface StartFailure {
  readonly code: FailureCode;
  readonly afterMs: number;
}
