import type { ApiRequest } from '../../shared/api/api-request.js';
import type { ApiResponse } from '../../shared/api/problem.js';
import { somePipeline } from './requests.js';
import { jobToken } from './world.js';

export interface CallOptions {
  readonly body?: unknown;
  /** Pairs, where one is to come twice. */
  readonly headers?: Readonly<Record<string, string>> | [string, string][];
  readonly query?: Readonly<Record<string, string>> | [string, string][];
  readonly params?: Readonly<Record<string, string>>;
}

/** A call as the host hands it over. A body that is neither text nor bytes is sent as JSON. */
export function apiCall({ body, headers = {}, query = {}, params = {} }: CallOptions = {}): ApiRequest {
  const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : new TextEncoder().encode(bodyText(body));
  return {
    method: 'POST',
    url: 'https://agents.example.com/api/agents',
    headers: new Headers(headers),
    query: new URLSearchParams(query),
    params,
    arrayBuffer: async () => bytes.buffer,
  };
}

function bodyText(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** The headers that `AzureFunction@1` sends by default. */
export const pipelineHeaders: Readonly<Record<string, string>> = {
  PlanUrl: somePipeline.planUrl,
  ProjectId: somePipeline.projectId,
  HubName: somePipeline.hubName,
  PlanId: somePipeline.planId,
  JobId: somePipeline.jobId,
  TimelineId: somePipeline.timelineId,
  TaskInstanceId: somePipeline.taskInstanceId,
  AuthToken: jobToken,
};

/** A response's JSON, as an object to look into. */
export function bodyOf(response: ApiResponse): Record<string, unknown> {
  const value: unknown = JSON.parse(response.body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`The body is no object: ${response.body}`);
  }
  return Object.fromEntries(Object.entries(value));
}

/** What a problem names, e.g. `body timeoutMinutes`, sorted. */
export function named(response: ApiResponse): readonly string[] {
  const { errors } = bodyOf(response);
  if (!Array.isArray(errors)) throw new Error(`The problem names no errors: ${response.body}`);
  return errors
    .map((error: unknown) => {
      const { in: where, name } = Object.fromEntries(Object.entries(error ?? {}));
      return `${String(where)} ${String(name)}`.trim();
    })
    .toSorted();
}
