import type { FastifyError, FastifyInstance } from 'fastify';

/** An error as Azure DevOps tells it. Clients classify by `typeKey`; `status` alone is not dependable there. */
export class VssError extends Error {
  override readonly name = 'VssError';

  constructor(
    readonly status: number,
    readonly typeKey: string,
    message: string,
  ) {
    super(message);
  }

  get body(): Record<string, unknown> {
    return {
      $id: '1',
      innerException: null,
      message: this.message,
      typeName: `Microsoft.TeamFoundation.DistributedTask.WebApi.${this.typeKey}, Microsoft.TeamFoundation.DistributedTask.WebApi`,
      typeKey: this.typeKey,
      errorCode: 0,
      eventId: 3000,
    };
  }
}

export const badRequest = (message: string): VssError => new VssError(400, 'ArgumentException', message);

export const poolNotFound = (poolId: number): VssError =>
  new VssError(404, 'TaskAgentPoolNotFoundException', `No agent pool found with identifier ${poolId}.`);

export const poolExists = (name: string): VssError =>
  new VssError(409, 'TaskAgentPoolExistsException', `Agent pool ${name} already exists.`);

export const agentNotFound = (agentId: number, poolId: number): VssError =>
  new VssError(
    404,
    'TaskAgentNotFoundException',
    `No agent exists with identifier ${agentId} in pool ${poolId}.`,
  );

export const agentExists = (name: string, poolId: number): VssError =>
  new VssError(
    409,
    'TaskAgentExistsException',
    `Pool ${poolId} already contains an agent with name ${name}.`,
  );

export const agentBusy = (name: string): VssError =>
  new VssError(
    400,
    'TaskAgentJobStillRunningException',
    `Agent ${name} can't be removed because it is running a job. Wait for the job to end, or cancel it.`,
  );

export const sessionConflict = (name: string, owner: string): VssError =>
  new VssError(
    409,
    'TaskAgentSessionConflictException',
    `The task agent ${name} already has an active session for owner ${owner}.`,
  );

export const sessionExpired = (sessionId: string): VssError =>
  new VssError(
    404,
    'TaskAgentSessionExpiredException',
    `The agent session ${sessionId} does not exist or has expired. Create a new session.`,
  );

export const jobRequestNotFound = (requestId: number): VssError =>
  new VssError(
    404,
    'TaskAgentJobNotFoundException',
    `No job request exists with identifier ${requestId}, or it is over.`,
  );

export const planNotFound = (planId: string): VssError =>
  new VssError(404, 'TaskOrchestrationPlanNotFoundException', `No plan found for identifier ${planId}.`);

export const planSecurity = (planId: string): VssError =>
  new VssError(
    403,
    'TaskOrchestrationPlanSecurityException',
    `The token does not have the right to change the plan ${planId}.`,
  );

export const planTerminated = (planId: string): VssError =>
  new VssError(
    400,
    'TaskOrchestrationPlanTerminatedException',
    `The plan ${planId} is over. It takes no further events or updates.`,
  );

export const timelineNotFound = (timelineId: string, planId: string): VssError =>
  new VssError(404, 'TimelineNotFoundException', `No timeline ${timelineId} found in plan ${planId}.`);

export const logNotFound = (logId: number, planId: string): VssError =>
  new VssError(404, 'TaskLogNotFoundException', `No log ${logId} found in plan ${planId}.`);

/** The service's 500 for a completion that nothing waits for (any more). */
export const nothingWaits = (jobId: string, taskId: string): VssError =>
  new VssError(
    500,
    'OrchestrationSessionNotFoundException',
    `No orchestration session waits for task ${taskId} of job ${jobId}.`,
  );

export const unauthorized = (): VssError =>
  new VssError(
    401,
    'UnauthorizedRequestException',
    "TF400813: The user '' is not authorized to access this resource.",
  );

export const accessDenied = (): VssError =>
  new VssError(
    403,
    'AccessDeniedException',
    'Access denied: a job token belongs to its plan. It has no right to agent pools.',
  );

/** What the control API under `/_local/` refuses: plain words, no Azure DevOps shape. */
export class ControlError extends Error {
  override readonly name = 'ControlError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler<FastifyError>(async (error, request, reply) => {
    if (error instanceof ControlError) return reply.code(error.status).send({ error: error.message });
    if (error instanceof VssError) return reply.code(error.status).send(error.body);
    const status = error.statusCode ?? 500;
    if (status >= 500) console.error(`${request.method} ${request.routeOptions.url ?? ''} failed:`, error);
    const typeKey = status >= 500 ? 'VssServiceException' : 'ArgumentException';
    return reply.code(status).send(new VssError(status, typeKey, error.message).body);
  });
  server.setNotFoundHandler(async (request, reply) => {
    const message = `The stand-in has no ${request.method} ${request.url.split('?')[0] ?? ''}.`;
    if (request.url.startsWith('/_local/')) return reply.code(404).send({ error: message });
    return reply.code(404).send(new VssError(404, 'VssResourceNotFoundException', message).body);
  });
}
