import type { Overview } from '../answers/overview.js';
import type { Config } from '../config.js';
import type { FieldError } from '../input/field-error.js';
import { countOverview } from '../operations/overview.js';
import type { RecentRequests } from '../operations/recent-requests.js';
import type { Clock } from '../ports.js';
import type { ApiRequest } from './api-request.js';
import { type ApiResponse, invalidRequest, json } from './problem.js';
import { profilePattern, readTag, toNumber } from './read-query.js';

interface OverviewDependencies {
  readonly config: Config;
  readonly recent: RecentRequests;
  readonly clock: Pick<Clock, 'now'>;
}

const hoursAtMost = 168;
const hourMs = 60 * 60_000;

/** `GET overview?hours=&profile=&tag=`: numbers over what lives and what was asked for of late. */
export const showOverview =
  ({ config, recent, clock }: OverviewDependencies) =>
  async (call: ApiRequest): Promise<ApiResponse> => {
    const errors: FieldError[] = [];
    const wrong = (name: string, detail: string): unknown => errors.push({ in: 'query', name, detail });
    const hours = toNumber(call.query.get('hours') ?? '24');
    if (!Number.isInteger(hours) || hours < 1 || hours > hoursAtMost) {
      wrong('hours', `must be a whole number from 1 to ${hoursAtMost}`);
    }
    const profile = call.query.get('profile') ?? undefined;
    if (profile !== undefined && !profilePattern.test(profile))
      wrong('profile', 'must be the name of a profile');
    const tag = readTag(call.query, wrong);
    if (errors.length > 0) return invalidRequest(errors);

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
