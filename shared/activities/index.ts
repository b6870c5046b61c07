import type { Activities, ActivityName } from '../workflow/contract.js';
import type { WithOrchestrations } from './dependencies.js';
import { finishRequest } from './finish-request.js';
import { lookAtAgent } from './look-at-agent.js';
import { provisionAgent } from './provision-agent.js';
import { recordBusy } from './record-busy.js';
import { releasePipeline } from './release-pipeline.js';
import { retireAttempt } from './retire-attempt.js';
import { settleEnd } from './settle-end.js';
import { watchPool } from './watch-pool.js';

/** Every activity of the contract, by its name there. */
export const activities: {
  readonly [Name in ActivityName]: (
    dependencies: WithOrchestrations,
  ) => (input: Activities[Name]['input']) => Promise<Activities[Name]['output']>;
} = {
  provisionAgent,
  lookAtAgent,
  releasePipeline,
  recordBusy,
  settleEnd,
  retireAttempt,
  finishRequest,
  watchPool,
};
