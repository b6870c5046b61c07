import { bodyLimitBytes } from '../input/request-body.js';
import type { ApiRequest } from './api-request.js';

/** Undefined when it is too large. */
export async function readBody(call: ApiRequest): Promise<Uint8Array | undefined> {
  // Refused by its header where it has one, so that a huge body is not read only to be thrown away.
  if (Number(call.headers.get('content-length') ?? 0) > bodyLimitBytes) return undefined;
  const bytes = new Uint8Array(await call.arrayBuffer());
  return bytes.length > bodyLimitBytes ? undefined : bytes;
}
