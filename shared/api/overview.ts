import type { Overview } from '../answers/overview.js';
import type { Config } from '../config.js';
import { overviewQuerySchema, readQuery } from '../input/query.js';
import { countOverview } from '../operations/overview.js';
import type { RecentRequests } from '../operations/recent-requests.js';
import type { Clock } from '../ports.js';
import type { ApiRequest } from './api-request.js';
import { type ApiResponse, invalidRequest, json } from './problem.js';

interface OverviewDependencies {
  readonly config: Config;
  readonly recent: RecentRequests;
  readonly clock: Pick<Clock, 'now'>;
}

const usualHours = 24;
const hourMs = 60 * 60_000;

/** `GET overview?hours=&profile=&tag=`: numbers over what lives and what was asked for of late. */
export const showOverview =
  ({ config, recent, clock }: OverviewDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const query = readQuery(call.query, overviewQuerySchema);
    if (!query.ok) return invalidRequest(query.errors);
    const { hours = usualHours, profile, tag } = query.value;

    const now = clock.now();
    const since = new Date(now.getTime() - hours * hourMs).toISOString();
    const { requests, truncated } = await recent.look(since);
    const overview: Overview = {
      at: now.toISOString(),
      since,
      ...countOverview(requests, config, { profile, tag }),
      truncated,
    };
    return json(200, overview);
  };
