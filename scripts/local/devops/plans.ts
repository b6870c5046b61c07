import type { FastifyInstance } from 'fastify';
import { planNotFound, planTerminated } from './errors.js';
import type { Run } from './rows.js';
import type { State } from './state.js';

/** The path of everything in a plan. */
export const planPath = '/:scope/_apis/distributedtask/hubs/:hub/plans/:planId';

export interface PlanParams {
  readonly scope: string;
  readonly hub: string;
  readonly planId: string;
}

/** The run behind a plan: the newest, since a re-run may keep the plan. @throws {VssError} 404 */
export function findPlan(state: State, params: PlanParams): Run {
  const planId = params.planId.toLowerCase();
  const run = state.runsOfPlan(planId).at(-1);
  const sameProject = run?.projectId === params.scope.toLowerCase();
  if (!run || !sameProject || params.hub.toLowerCase() !== 'build') throw planNotFound(params.planId);
  return run;
}

/** @throws {VssError} when the plan is over or was never there. */
export function findLivePlan(state: State, params: PlanParams): Run {
  const run = findPlan(state, params);
  if (run.state === 'completed') throw planTerminated(run.planId);
  return run;
}

export function addPlanRoutes(server: FastifyInstance, state: State, collectionUri: string): void {
  server.get<{ Params: PlanParams }>(planPath, async request => {
    const run = findPlan(state, request.params);
    const over = run.state === 'completed';
    return {
      planId: run.planId,
      scopeIdentifier: run.projectId,
      planType: 'Build',
      planGroup: `local:${run.projectId}`,
      version: 10,
      artifactUri: `vstfs:///Build/Build/${run.buildId}`,
      artifactLocation: null,
      definition: { id: 1, name: run.name },
      owner: { id: run.buildId, name: String(run.buildId) },
      startTime: run.startedAt ?? run.createdAt,
      finishTime: run.finishedAt,
      state: over ? 'completed' : 'inProgress',
      result: over ? run.result : undefined,
      timeline: { id: run.timelineId, changeId: 1, location: `${collectionUri}${run.projectId}` },
    };
  });
}
