import http from 'node:http';
import https from 'node:https';
import { expand, type Variables } from './macros.js';
import type { FunctionRequest } from './rows.js';

/** What AzureFunction@1 sends when the author gives no headers of their own; given ones replace all of these. */
const defaultHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'application/json',
  PlanUrl: '$(system.CollectionUri)',
  ProjectId: '$(system.TeamProjectId)',
  HubName: '$(system.HostType)',
  PlanId: '$(system.PlanId)',
  JobId: '$(system.JobId)',
  TimelineId: '$(system.TimelineId)',
  TaskInstanceId: '$(system.TaskInstanceId)',
  AuthToken: '$(system.AccessToken)',
};

/** One HTTP request, as it goes over the wire. */
export interface FunctionCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FunctionAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly body: string;
}

/** The task's request. Nothing in it tells whether the pipeline waits for a callback. */
export function functionCall(request: FunctionRequest, variables: Variables): FunctionCall {
  const headers = Object.entries(request.headers ?? defaultHeaders);
  const query = expand(request.queryParameters, variables);
  return {
    method: request.method,
    // The `&` stays even when no query parameters follow.
    url: `${expand(request.function, variables)}?code=${expand(request.key, variables)}&${query}`,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, expand(value, variables)])),
    body: expand(request.body, variables),
  };
}

/** The longest answer that is read; the rest says nothing more to a pipeline author. */
const maxAnswerBytes = 64 * 1024;

/**
 * Sends it with node:http and not with fetch, which would add headers of its own.
 *
 * @throws {Error} a sentence, when there is no answer in time or none at all.
 */
export async function sendFunctionCall(call: FunctionCall, timeoutMs: number): Promise<FunctionAnswer> {
  const url = new URL(call.url);
  const transport = url.protocol === 'https:' ? https : http;
  const bodyless = call.method === 'GET' || call.method === 'HEAD';
  return await new Promise<FunctionAnswer>((resolve, reject) => {
    const request = transport.request({
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      method: call.method,
      headers: {
        ...call.headers,
        ...(!bodyless && { 'Content-Length': String(Buffer.byteLength(call.body)) }),
      },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const failed = (error: Error): void => {
      const seconds = timeoutMs / 1000;
      reject(
        new Error(
          error.name === 'AbortError' || error.name === 'TimeoutError'
            ? `The function did not answer within ${seconds} seconds.`
            : `The function could not be reached: ${error.message}`,
          { cause: error },
        ),
      );
    };
    request.on('error', failed);
    request.on('response', response => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', failed);
      response.on('data', (chunk: Buffer) => {
        if (size < maxAnswerBytes) chunks.push(chunk);
        size += chunk.length;
      });
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? '',
          body: Buffer.concat(chunks).toString('utf8').slice(0, maxAnswerBytes),
        });
      });
    });
    request.end(bodyless ? undefined : call.body);
  });
}
