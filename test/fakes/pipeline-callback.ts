import type { PipelineContext } from '../../shared/domain/request.js';
import type { PipelineCallback, PipelineNotes } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';

export interface FakePipelineCallback extends PipelineCallback, Knobs<PipelineCallback> {
  /** What the author of the pipeline reads, line by line. */
  readonly lines: string[];
  readonly notes: PipelineNotes[];
  /** Completions that were taken. */
  readonly completions: { readonly taskInstanceId: string; readonly result: 'succeeded' | 'failed' }[];
  /** The run has ended or was cancelled. */
  readonly endPlan: (planId: string) => void;
  /** Nobody waits for this task, though the run goes on: it never did wait, or its time is up. */
  readonly stopWaiting: (taskInstanceId: string) => void;
}

/** Every plan goes on and every task waits, until a test ends it or a completion does. */
export function createFakePipelineCallback(): FakePipelineCallback {
  const lines: string[] = [];
  const notes: PipelineNotes[] = [];
  const completions: { taskInstanceId: string; result: 'succeeded' | 'failed' }[] = [];
  const overPlans = new Set<string>();
  const notWaiting = new Set<string>();

  const callback: PipelineCallback = {
    tell: async ({ planId }, _token, told) => {
      if (overPlans.has(planId)) return { planOver: 'TaskOrchestrationPlanTerminatedException' };
      lines.push(...told);
      return 'told';
    },
    annotate: async (_pipeline, _token, note) => void notes.push(note),
    complete: async ({ planId, taskInstanceId }: PipelineContext, _token, result) => {
      if (overPlans.has(planId))
        return { kind: 'planOver', reason: 'TaskOrchestrationPlanTerminatedException' };
      if (notWaiting.has(taskInstanceId)) {
        return { kind: 'refused', reason: 'OrchestrationSessionNotFoundException' };
      }
      notWaiting.add(taskInstanceId);
      completions.push({ taskInstanceId, result });
      return { kind: 'acknowledged' };
    },
  };
  return withKnobs(callback, {
    lines,
    notes,
    completions,
    endPlan: (planId: string) => void overPlans.add(planId),
    stopWaiting: (taskInstanceId: string) => void notWaiting.add(taskInstanceId),
  });
}
