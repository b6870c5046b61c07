import { changeRequest } from '../change-request.js';
import { advance, note } from '../domain/lifecycle.js';
import { pipelineLog } from '../domain/pipeline-log.js';
import { type AgentRequest, isEnded, type RequestState } from '../domain/request.js';
import { show } from '../domain/view.js';
import type { CompletionAnswer } from '../ports.js';
import type { Activities, Released } from '../workflow/contract.js';
import type { Dependencies } from './dependencies.js';
import { cannotUnseal, waitingPipeline } from './waiting-pipeline.js';

/** See {@link Activities}. */
export const releasePipeline =
  (dependencies: Dependencies) =>
  async (input: Activities['releasePipeline']['input']): Promise<Released> => {
    const { store, queue, clock, config, log } = dependencies;
    const now = clock.now().toISOString();
    let cancelled = false;
    let sentBefore = false;
    let isOurs = false;
    const request = await changeRequest(store, input, row => {
      cancelled = row.cancelRequestedAt !== undefined;
      isOurs = row.attempt === input.attempt && released.some(state => state === row.state);
      sentBefore = row.callback?.result === 'succeeded';
      if (cancelled || !isOurs) return undefined;
      if (row.state !== 'starting') return undefined;
      const online = advance(row, {
        to: 'online',
        at: now,
        detail: `Agent ${row.agentName ?? '?'} is online.`,
        taskStartedAt: input.startedAt,
      });
      // Written before it is sent: a send that is repeated after a crash must not take its own echo for a refusal.
      return online.callback?.sealedToken && !online.callback.acknowledgedAt
        ? { ...online, callback: { ...online.callback, result: 'succeeded' } }
        : online;
    });
    if (cancelled) return { kind: 'cancelled' };
    // A late second run of this step: the attempt is lost or the request has ended, and there is nobody to release.
    if (!request || !isOurs) return { kind: 'released' };

    if (request.replyQueue)
      await queue.reply(request.replyQueue, JSON.stringify(show(request, config.publicUrl)));
    const answer = await complete(dependencies, request);
    if (!answer) return { kind: 'released' };
    const wasTaken = await arrivedBefore(dependencies, request, answer, sentBefore);
    // Written down with the end of the request: here it would keep a second run of this step from saying it again.
    if (answer.kind === 'planOver' && !wasTaken) return { kind: 'planOver', reason: answer.reason };

    const reason = answer.kind === 'acknowledged' || wasTaken ? undefined : answer.reason;
    await changeRequest(store, input, row => {
      if (isEnded(row.state)) return undefined;
      const at = clock.now().toISOString();
      const callback = {
        ...row.callback,
        sealedToken: undefined,
        ...(reason === undefined ? { acknowledgedAt: at } : { refusedWith: reason }),
      };
      return reason === undefined
        ? { ...row, callback, updatedAt: at }
        : note({ ...row, callback }, at, `The pipeline did not take our completion: ${reason}`);
    });
    if (reason !== undefined) {
      const { requestId, attempt } = request;
      log.warn(`Request ${requestId}: completion refused (${reason}).`, { requestId, attempt });
    }
    return { kind: 'released' };
  };

/** States of an attempt whose pipeline is, or may still have to be, let go on. */
const released: readonly RequestState[] = ['starting', 'online', 'busy'];

/**
 * A refusal of what we had sent before a crash only says that it arrived. So does a run that is over by now, if our
 * agent has run a job: it came to its end with our help.
 */
async function arrivedBefore(
  { registry }: Pick<Dependencies, 'registry'>,
  { devOpsPool, agentName }: AgentRequest,
  answer: CompletionAnswer,
  sentBefore: boolean,
): Promise<boolean> {
  if (!sentBefore || answer.kind === 'acknowledged') return false;
  if (answer.kind === 'refused') return answer.reason !== cannotUnseal;
  return agentName !== undefined && (await registry.ranJob(devOpsPool, agentName)) === true;
}

async function complete(
  { pipeline, seal, log }: Dependencies,
  request: AgentRequest,
): Promise<CompletionAnswer | undefined> {
  const { callback, requestId } = request;
  if (!callback || callback.acknowledgedAt || callback.refusedWith) return undefined;
  const waiting = waitingPipeline({ seal }, request);
  if (!waiting) {
    log.error(`Request ${requestId}: its job token can't be unsealed; was CallbackTokenKey replaced?`, {
      requestId,
      attempt: request.attempt,
    });
    return { kind: 'refused', reason: cannotUnseal };
  }
  const { context, token } = waiting;
  const line = pipelineLog.online(request);
  await Promise.all([
    pipeline.tell(context, token, [line]),
    // Before the completion: afterwards the task is closed and its variables with it.
    pipeline.annotate(context, token, {
      variables: { agentName: request.agentName ?? '', requestId },
      log: [...request.history.map(entry => `${entry.at} ${entry.state}: ${entry.detail}`), line],
    }),
  ]);
  return pipeline.complete(context, token, 'succeeded');
}
