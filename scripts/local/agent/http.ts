import http from 'node:http';
import https from 'node:https';

/** Kept connections: a thousand agents in one process would else spend their time on opening them. */
const kept = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
const plain = new http.Agent(kept);
const secure = new https.Agent(kept);

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly timeoutMs: number;
  /** Any of them breaks the request off. */
  readonly signals: readonly AbortSignal[];
}

/** @throws {Error} why there was no answer; the reason of the signal that broke it off is the caller's to tell. */
export async function sendRequest(options: HttpRequest): Promise<{ status: number; text: string }> {
  const { method, url, headers, body, timeoutMs, signals } = options;
  const isSecure = url.protocol === 'https:';
  const request = (isSecure ? https : http).request(url, {
    method,
    agent: isSecure ? secure : plain,
    headers: {
      ...headers,
      ...(body !== undefined && { 'Content-Length': String(Buffer.byteLength(body)) }),
    },
  });
  const breakOff = (): void => {
    request.destroy(new Error('The request was broken off.'));
  };
  for (const signal of signals) signal.addEventListener('abort', breakOff, { once: true });
  request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  try {
    return await new Promise((resolve, reject) => {
      request.on('error', reject);
      request.on('response', response => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      request.end(body);
    });
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', breakOff);
  }
}
