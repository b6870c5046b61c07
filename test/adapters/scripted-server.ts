import Fastify from 'fastify';

export interface Call {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export interface Scripted {
  readonly status: number;
  /** Sent as it is when a string, else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ScriptedServer {
  readonly url: string;
  readonly calls: readonly Call[];
  /** Connections that were opened since the last script. */
  readonly connections: number;
  /** Forgets the calls and answers anew. `reset` cuts the connection. */
  script(answer: (call: Call) => Scripted | 'reset'): void;
  close(): Promise<void>;
}

/** A service that says exactly what a test wants it to say. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const server = Fastify({ forceCloseConnections: true });
  let calls: Call[] = [];
  let connections = 0;
  let answer: (call: Call) => Scripted | 'reset' = () => ({ status: 500 });

  server.server.on('connection', () => {
    connections += 1;
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.all('*', async (request, reply) => {
    const { method, url, headers, body } = request;
    const call: Call = { method, url, headers, body: typeof body === 'string' ? body : '' };
    calls.push(call);
    const scripted = answer(call);
    if (scripted === 'reset') {
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    const isText = typeof scripted.body === 'string';
    reply.code(scripted.status).headers({ ...scripted.headers });
    reply.type(isText ? 'text/html' : 'application/json');
    if (scripted.body === undefined) return reply.send();
    return reply.send(isText ? scripted.body : JSON.stringify(scripted.body));
  });

  return {
    url: await server.listen({ host: '127.0.0.1', port: 0 }),
    get calls() {
      return calls;
    },
    get connections() {
      return connections;
    },
    script: next => {
      calls = [];
      connections = 0;
      answer = next;
    },
    close: () => server.close(),
  };
}
