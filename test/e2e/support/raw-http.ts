import { connect } from 'node:net';

export interface RawAnswer {
  /** 0 when the connection was closed without a word. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const patienceMs = 5_000;

/**
 * Sends bytes as they are, where `fetch` would make a proper request of them, and gives the first answer.
 *
 * @param url whose host and port to connect to.
 */
export async function sendRaw(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.setTimeout(patienceMs, () => socket.destroy(new Error('No answer came, and no end.')));
    socket.on('data', chunk => chunks.push(Buffer.from(chunk)));
    socket.on('error', error =>
      chunks.length > 0 || 'code' in error ? resolve(read(chunks)) : reject(error),
    );
    socket.on('close', () => resolve(read(chunks)));
  });
}

function read(chunks: readonly Buffer[]): RawAnswer {
  const text = Buffer.concat(chunks).toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  const rest = Buffer.from(text.slice(end + 4));
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    body: rest.subarray(0, length).toString('utf8'),
  };
}
