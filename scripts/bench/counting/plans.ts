import { decodeInput, lifecycleName, watchName } from '../../../shared/workflow/contract.js';
import { names } from '../contenders/monitor/contract.js';
import type { AppName } from '../world.js';

/** What an app does for a request, by the names of its functions. */
export interface Plan {
  /** The orchestrator of one request, and its activities; none: the call does everything. */
  readonly perRequest?: {
    readonly orchestrator: string;
    readonly activities: readonly string[];
    /** Ends once the request waits for its agent, and once everything of it is tidied up. */
    readonly asked: string;
    readonly tidied: string;
  };
  /** What looks for all requests of a pool together; none: each looks for itself. */
  readonly watch?: { readonly orchestrator: string; readonly round: string };
}

const round = 'watchPool';

export const plans: Readonly<Record<AppName, Plan>> = {
  ours: {
    perRequest: {
      orchestrator: lifecycleName,
      activities: Object.keys(decodeInput).filter(name => name !== round),
      asked: 'provisionAgent',
      tidied: 'finishRequest',
    },
    watch: { orchestrator: watchName, round },
  },
  article: {},
  monitor: {
    perRequest: {
      orchestrator: names.monitor,
      activities: [names.create, names.look, names.tell, names.remove],
      asked: names.create,
      tidied: names.remove,
    },
  },
};
