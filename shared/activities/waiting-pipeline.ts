import { type AgentRequest, type PipelineContext, pipelineWaits } from '../domain/request.js';
import type { TellAnswer } from '../ports.js';
import type { Dependencies } from './dependencies.js';

/** The pipeline that still waits for a request's completion, with what it takes to talk to it. */
export interface WaitingPipeline {
  readonly context: PipelineContext;
  readonly token: string;
}

/** Undefined when no pipeline waits (any more), or its token can't be unsealed with the keys we have. */
export function waitingPipeline(
  { seal }: Pick<Dependencies, 'seal'>,
  request: AgentRequest,
): WaitingPipeline | undefined {
  const { pipeline, callback } = request;
  if (!pipeline || !callback?.sealedToken || !pipelineWaits(request)) return undefined;
  const token = seal.unseal(request.requestId, callback.sealedToken);
  return token === undefined ? undefined : { context: pipeline, token };
}

/** Why a pipeline that waits can't be told anything; not an answer of its own. */
export const cannotUnseal = 'its job token can not be unsealed with the configured CallbackTokenKey';

/** Live lines for whoever watches the run; silence, which is `unknown`, when nobody waits. */
export async function tellPipeline(
  dependencies: Pick<Dependencies, 'seal' | 'pipeline'>,
  request: AgentRequest,
  ...lines: readonly string[]
): Promise<TellAnswer> {
  const waiting = waitingPipeline(dependencies, request);
  return waiting ? dependencies.pipeline.tell(waiting.context, waiting.token, lines) : 'unknown';
}
