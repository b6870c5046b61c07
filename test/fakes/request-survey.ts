import { type AgentRequest, isEnded } from '../../shared/domain/request.js';
import type { RequestDigest, RequestLife, RequestSurvey, Surveyed, SurveyRange } from '../../shared/ports.js';
import { type Knobs, withKnobs } from './knobs.js';
import type { FakeTable } from './request-store.js';

/** Surveys the table of a fake store. */
export function createFakeRequestSurvey({ rows }: FakeTable): RequestSurvey & Knobs<RequestSurvey> {
  const survey = <T>(range: SurveyRange, view: (request: AgentRequest) => T): Surveyed<T> => {
    const found = [...rows.values()]
      .map(({ request }) => request)
      .filter(({ state }) => isEnded(state) === (range.which === 'ended'))
      .filter(({ updatedAt }) => range.changedSince === undefined || updatedAt >= range.changedSince)
      .filter(
        ({ createdAt }) =>
          range.which === 'live' ||
          (createdAt >= range.askedSince &&
            (range.askedUntil === undefined || createdAt <= range.askedUntil)),
      )
      .toSorted((one, other) => other.createdAt.localeCompare(one.createdAt));
    return { requests: found.slice(0, range.atMost).map(view), more: found.length > range.atMost };
  };
  return withKnobs<RequestSurvey, object>(
    {
      digests: async range => survey(range, digestOf),
      lives: async range => survey(range, lifeOf),
    },
    {},
  );
}

const digestOf = (request: AgentRequest): RequestDigest => ({
  requestId: request.requestId,
  profile: request.profile,
  state: request.state,
  createdAt: request.createdAt,
  updatedAt: request.updatedAt,
  onlineAt: request.onlineAt,
  endedAt: request.endedAt,
  tags: structuredClone(request.tags),
  failureCode: request.failure?.code,
});

const lifeOf = (request: AgentRequest): RequestLife => ({
  requestId: request.requestId,
  profile: request.profile,
  state: request.state,
  createdAt: request.createdAt,
  updatedAt: request.updatedAt,
  history: structuredClone(request.history),
  failureCode: request.failure?.code,
});
