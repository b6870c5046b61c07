import type { Preset, Presets } from '../faults/rule.js';
import { signInPage } from './auth.js';
import {
  accessDenied,
  agentBusy,
  nothingWaits,
  planNotFound,
  planSecurity,
  planTerminated,
  poolNotFound,
  unauthorized,
  VssError,
} from './errors.js';

const json = { 'content-type': 'application/json; charset=utf-8' };
const noId = '00000000-0000-0000-0000-000000000000';

const vss = (about: string, error: VssError, call = '*'): Preset => ({
  about,
  rule: { call, status: error.status, headers: json },
  body: () => error.body,
});

/** What a caller over its share of the service is told, beside or instead of its answer. */
const rateLimit = {
  'retry-after': '2',
  'x-ratelimit-resource': 'VSTS/DistributedTask',
  'x-ratelimit-limit': '200',
  'x-ratelimit-remaining': '0',
  'x-ratelimit-delay': '2.0',
};

/** How a pipeline's plan answers the callback when it is not, or no longer, waiting. */
const callback = 'POST *events';

export const devOpsPresets: Presets = {
  signInPage: {
    about: 'The web page to sign in, as a success: what a token gets that has expired or was taken back.',
    rule: { call: '*', status: 203, headers: { 'content-type': 'text/html; charset=utf-8' } },
    body: () => signInPage,
  },
  throttled: {
    ...vss(
      '429 with Retry-After and the rate-limit headers.',
      new VssError(
        429,
        'RequestBlockedException',
        "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource 'DistributedTask' in namespace 'User'.",
      ),
    ),
    rule: { call: '*', status: 429, headers: { ...json, ...rateLimit } },
  },
  slowedDown: {
    about: "The call's own answer, with Retry-After and the rate-limit headers.",
    rule: { call: '*', when: 'none', headers: rateLimit },
  },
  serverError: vss(
    '500 of no special kind.',
    new VssError(500, 'VssServiceException', 'TF400898: An Internal Error Occurred.'),
  ),
  unavailable: {
    about: '503 of the front door: a page, not an error of the service.',
    rule: { call: '*', status: 503, headers: { 'content-type': 'text/html' } },
    body: () => "<html><body><h2>Our services aren't available right now</h2></body></html>",
  },
  unauthorized: vss('401.', unauthorized()),
  accessDenied: vss('403: the caller has no right to agent pools.', accessDenied()),
  poolNotFound: vss('404: the agent pool is gone.', poolNotFound(1), '*pools/:poolId*'),
  agentBusy: vss('An agent can not be removed.', agentBusy('agent'), 'DELETE *agents/:agentId'),
  sessionNotFound: vss(
    '500: nothing waits for the completion (any more).',
    nothingWaits(noId, noId),
    callback,
  ),
  planNotFound: vss('404: the plan is over and gone.', planNotFound(noId), callback),
  planSecurity: vss('403: the token is not of this plan.', planSecurity(noId), callback),
  planTerminated: vss('400: the plan is over.', planTerminated(noId), callback),
};
