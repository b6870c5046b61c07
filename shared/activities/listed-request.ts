import { type AgentRequest, pipelineWaits } from '../domain/request.js';
import type { LiveRequest } from '../ports.js';
import type { Dependencies } from './dependencies.js';

/**
 * The whole of a request that a listing has just shown: as this process remembers it, where that is what was listed,
 * so that a look at a thousand requests does not read each of them again.
 */
export async function listedRequest(
  { store }: Pick<Dependencies, 'store'>,
  listed: LiveRequest,
): Promise<AgentRequest | undefined> {
  const remembered = store.remembered(listed.requestId)?.request;
  const isListed =
    remembered?.generation === listed.generation &&
    remembered.state === listed.state &&
    remembered.updatedAt === listed.updatedAt &&
    pipelineWaits(remembered) === listed.pipelineWaits;
  return isListed ? remembered : (await store.get(listed.requestId))?.request;
}
