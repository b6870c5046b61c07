import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as z from 'zod';

/**
 * What start.sh talks to: agent pools of Azure DevOps, and the metadata service of a virtual machine. The first part of a
 * path, `BEHAVIOUR~NAME`, is an organisation of its own and says how the service behaves to it.
 */
export interface StubService {
  readonly url: string;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly html?: string;
  readonly location?: string;
}

const poolName = 'Private "Linux" & more';
/** What the stub of the agent and start.sh itself sign in with. */
export const stubToken = 'pat-that-nobody-may-see';

interface Agent {
  readonly id: number;
  readonly name: string;
}

interface Organisation {
  readonly agents: Agent[];
  readonly calls: string[];
  readonly tokens: Set<string>;
  seen: string;
}

const AgentBody = z.object({ name: z.string() });
const signIn = '<html><head><title>Sign In</title></head></html>';
const list = (value: readonly unknown[]): Answer => ({ status: 200, body: { count: value.length, value } });
const error = (status: number, message: string): Answer => ({
  status,
  body: { $id: '1', message, typeKey: 'StubException' },
});

/** The arguments of every process on this machine: what any other user may read. */
function argumentsOfAll(): string {
  const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return processes
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .join('\n');
}

export async function startStubService(): Promise<StubService> {
  const organisations = new Map<string, Organisation>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, body, html, location } = await respond(organisations, request);
    response.writeHead(status, {
      'content-type': html === undefined ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8',
      ...(location !== undefined && { location }),
    });
    response.end(html ?? (body === undefined ? undefined : JSON.stringify(body)));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It listens on no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function respond(organisations: Map<string, Organisation>, request: IncomingMessage): Promise<Answer> {
  const chunks: string[] = [];
  for await (const chunk of request.setEncoding('utf8')) chunks.push(String(chunk));
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const [, organisation = '', ...rest] = url.pathname.split('/');
  const path = `/${rest.join('/')}`;
  const made: Organisation = { agents: [], calls: [], tokens: new Set([stubToken]), seen: '' };
  const state = organisations.get(organisation) ?? made;
  organisations.set(organisation, state);
  if (path === '/_calls') return { status: 200, html: `${state.calls.join('\n')}\n` };
  if (path === '/_arguments') return { status: 200, html: state.seen };
  const behaviour = organisation.split('~', 1)[0] ?? '';
  if (path === '/identity') return identity(behaviour, state, request, url);
  state.calls.push(`${request.method} ${path}${url.search}`);
  state.seen += argumentsOfAll();
  if (behaviour === 'silent') await new Promise(() => undefined);
  return devOps(behaviour, state, { request, url, path, body: chunks.join('') });
}

function identity(behaviour: string, state: Organisation, request: IncomingMessage, url: URL): Answer {
  if (request.headers['metadata'] !== 'true') return error(400, 'Required metadata header not specified');
  if (url.searchParams.get('resource') !== '499b84ac-1321-427f-aa17-267ca6975798')
    return error(400, 'resource');
  const client = url.searchParams.get('client_id');
  state.calls.push(`TOKEN${client === null ? '' : ` ${client}`}`);
  if (behaviour === 'noidentity') return error(400, 'Identity not found');
  if (behaviour === 'slowidentity' && state.tokens.size < 3) {
    state.tokens.add(`refused-${state.tokens.size}`);
    return error(429, 'Too many requests');
  }
  const token = `identity.token-${state.tokens.size}`;
  state.tokens.add(token);
  return { status: 200, body: { access_token: token, expires_on: '1767225600', token_type: 'Bearer' } };
}

function devOps(
  behaviour: string,
  state: Organisation,
  call: { request: IncomingMessage; url: URL; path: string; body: string },
): Answer {
  const { request, url, path, body } = call;
  if (behaviour === 'gone') return { status: 503, html: 'Service Unavailable' };
  if (behaviour === 'away' && state.calls.length <= 3) return { status: 503, html: 'Service Unavailable' };
  if (behaviour === 'nothere') return error(404, 'Page not found');
  if (behaviour === 'proxy') return { status: 200, html: '<html>Welcome to this network</html>' };
  if (!isAuthorised(state, request) || behaviour.startsWith('signin')) {
    if (behaviour === 'signin302')
      return { status: 302, html: signIn, location: 'https://spsprodweu5.example/_signin' };
    return behaviour === 'signin401' ? error(401, 'VS30063') : { status: 203, html: signIn };
  }
  if (path === '/_apis/distributedtask/pools') return pools(url);
  const agents = /^\/_apis\/distributedtask\/pools\/7\/agents(?:\/(\d+))?$/.exec(path);
  if (agents) return agentCalls(behaviour, state, request.method ?? '', agents[1], url, body);
  if (path === '/_apis/distributedtask/pools/7/jobrequests') {
    const name = url.searchParams.get('agentName') ?? '';
    const other = { requestId: 1, reservedAgent: { id: 1, name: 'another' }, definition: { name } };
    return list(
      behaviour === 'hadjob'
        ? [other, { requestId: 2, reservedAgent: { id: 2, name } }]
        : [other, { requestId: 3 }],
    );
  }
  return error(404, `No route ${path}`);
}

function isAuthorised(state: Organisation, request: IncomingMessage): boolean {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme === 'Bearer') return state.tokens.has(value);
  return scheme === 'Basic' && state.tokens.has(Buffer.from(value, 'base64').toString('utf8').slice(1));
}

/** As the service gives them: nested names and ids around the ones that count. */
function pools(url: URL): Answer {
  const wanted = (url.searchParams.get('poolName') ?? '').toLowerCase();
  const all = [
    { createdBy: { id: 'f1', name: poolName }, id: 6, name: `${poolName} too`, owner: { id: 'f2' } },
    { owner: { id: 'f3', name: 'Nobody \\"' }, name: poolName, tags: [1, { id: 2 }], id: 7, isHosted: false },
  ];
  return list(all.filter(({ name }) => name.toLowerCase().startsWith(wanted)));
}

function agentCalls(
  behaviour: string,
  state: Organisation,
  method: string,
  id: string | undefined,
  url: URL,
  body: string,
): Answer {
  if (method === 'POST') {
    const agent: Agent = { id: 40 + state.agents.length, name: AgentBody.parse(JSON.parse(body)).name };
    state.agents.push(agent);
    return { status: 200, body: agent };
  }
  if (method === 'DELETE') {
    const at = state.agents.findIndex(agent => String(agent.id) === id);
    if (at < 0) return error(404, 'No such agent');
    if (behaviour === 'justtaken') return error(400, 'The agent is running a job');
    state.agents.splice(at, 1);
    return { status: 204 };
  }
  const name = url.searchParams.get('agentName') ?? '';
  if (behaviour === 'inuse') return list([{ id: 3, name: name.toUpperCase(), status: 'offline' }]);
  const assigned = behaviour === 'busy' ? { assignedRequest: { requestId: 9 } } : {};
  return list(state.agents.filter(agent => agent.name === name).map(agent => ({ ...agent, ...assigned })));
}
