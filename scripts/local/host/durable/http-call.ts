import type { HttpCall } from './events.js';

/**
 * Makes a durable HTTP call once.
 *
 * @returns JSON text of `{ statusCode, headers, content }`, whatever the status is
 * @throws when no answer came
 */
export async function callHttp(call: HttpCall): Promise<string> {
  const response = await fetch(call.uri, {
    method: call.method,
    redirect: 'manual',
    signal: AbortSignal.timeout(100_000),
    ...(call.headers && { headers: call.headers }),
    ...(call.content != null && { body: call.content }),
  });
  const content = await response.text();
  return JSON.stringify({
    statusCode: response.status,
    headers: Object.fromEntries(response.headers.entries()),
    content,
  });
}
