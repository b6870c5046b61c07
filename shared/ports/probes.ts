import type { Failure } from '../domain/failure.js';

/**
 * Tries for the diagnosis that leave nothing behind, whether they succeed or not. They throw `TransientError` for
 * whatever keeps them from succeeding, a refusal included: its failure says what.
 */
export interface StorageProbe {
  /** Makes a queue of its own, puts a message in, looks at it, takes it out, and removes the queue. */
  useQueue(): Promise<void>;
  /** Writes, reads and removes a row that is in no list of requests. */
  useTable(): Promise<void>;
  queueExists(name: string): Promise<boolean>;
}

export interface BatchProbe {
  /** @returns what time the service says it is. */
  signIn(): Promise<{ readonly serviceTime: Date | undefined }>;
  /** How a pool is set up; undefined if there is none. */
  pool(poolId: string): Promise<BatchPoolSetup | undefined>;
  /** Makes a job on a pool and removes it. */
  makeJob(poolId: string): Promise<void>;
}

export interface BatchPoolSetup {
  readonly state: string;
  readonly allocationState: string;
  readonly os: 'linux' | 'windows' | undefined;
  readonly takesContainers: boolean;
  readonly slotsPerNode: number;
  readonly scales: boolean;
  readonly currentNodes: number;
  readonly targetNodes: number;
  readonly problem: Failure | undefined;
}

export interface DevOpsProbe {
  /** @returns what time the service says it is, and how much of our share of it is left, if it says so. */
  signIn(): Promise<{ readonly serviceTime: Date | undefined; readonly share: string | undefined }>;
  /**
   * Registers an agent that takes no job and removes it.
   *
   * @returns false if there is no such pool.
   */
  manageAgents(devOpsPool: string): Promise<boolean>;
}
