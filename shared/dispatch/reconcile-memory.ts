/**
 * What one round of reconcile tells the next. It lives in the process: after a restart the counting begins anew, which
 * makes a removal later and never wrong.
 */
export interface ReconcileMemory {
  running: boolean;
  round: number;
  /** Things without an owner that the last sweep has seen. */
  suspects: ReadonlySet<string>;
  /** Requests that names spoke of and that we have never had, until when that is believed (epoch, ms). */
  readonly strangers: Map<string, number>;
  /** Unreadable rows that the log has told of. */
  readonly told: Set<string>;
}

export const newReconcileMemory = (): ReconcileMemory => ({
  running: false,
  round: 0,
  suspects: new Set(),
  strangers: new Map(),
  told: new Set(),
});
