import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';

/**
 * What every stand-in has beside its own API: a count of the calls it got, and rules that make it misbehave.
 * Both live under `/_local/`, which the service that is stood in for does not have, and are never counted.
 *
 *     GET    /_local/calls    { "GET /jobs/:jobId/tasks": 12, … }   calls by method and route since the last reset;
 *                             ?client=NAME counts those whose User-Agent names it
 *     DELETE /_local/calls    start counting anew
 *     GET    /_local/faults   the rules in force
 *     PUT    /_local/faults   replace them (an array of rules; [] ends all misbehaviour)
 */
const FaultRule = z.strictObject({
  /** `METHOD route` as it is counted; `*` stands for any run of characters. */
  call: z.string().min(1),
  /** Let this many matching calls pass before the rule bites. */
  after: z.int().min(0).default(0),
  /** Bite at most this often; absent: for ever. */
  count: z.int().min(1).optional(),
  /** Chance of each bite, 0 to 1. */
  probability: z.number().min(0).max(1).default(1),
  /** Wait before anything else happens, in milliseconds. */
  delayMs: z.int().min(0).max(600_000).default(0),
  /** Keep the answer back for so long once the call has taken effect, in milliseconds. */
  holdMs: z.int().min(0).max(600_000).default(0),
  /** `before`: the call has no effect; `commit`: it takes effect and then fails; `none`: it is only delayed. */
  when: z.enum(['before', 'commit', 'none']).default('before'),
  /** HTTP status to answer with; 0 resets the connection. */
  status: z.int().min(0).max(599).default(500),
  headers: z.record(z.string(), z.string()).default({}),
  /** Sent as it is when a string, else as JSON. */
  body: z.unknown().optional(),
});
type FaultRule = z.infer<typeof FaultRule>;

interface LiveRule {
  readonly rule: FaultRule;
  readonly pattern: RegExp;
  seen: number;
  bitten: number;
}

const wildcard = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split('*')
      .map(part => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*')}$`,
  );

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

const callName = (request: FastifyRequest): string =>
  `${request.method} ${request.routeOptions.url ?? '(no route)'}`;

/**
 * Adds counting and fault rules to a stand-in.
 *
 * @param random source of chance in [0, 1); tests pass a seeded one.
 */
export function addCallsAndFaults(server: FastifyInstance, random: () => number = Math.random): void {
  /** By call, then by User-Agent. */
  let counts = new Map<string, Map<string, number>>();
  let rules: LiveRule[] = [];
  const committed = new WeakMap<FastifyRequest, FaultRule>();
  const held = new WeakMap<FastifyRequest, number>();

  server.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/_local/')) return;
    const call = callName(request);
    const client = request.headers['user-agent'] ?? '';
    const byClient = counts.get(call) ?? new Map<string, number>();
    counts.set(call, byClient.set(client, (byClient.get(client) ?? 0) + 1));
    const rule = pick(rules, call, random);
    if (!rule) return;
    if (rule.delayMs > 0) await pause(rule.delayMs);
    if (rule.holdMs > 0) held.set(request, rule.holdMs);
    if (rule.when === 'none') return;
    if (rule.when === 'commit') {
      committed.set(request, rule);
      return;
    }
    if (rule.status === 0) {
      reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    await reply
      .code(rule.status)
      .headers(rule.headers)
      .send(rule.body ?? '');
  });

  server.addHook('onSend', async (request, reply, payload) => {
    const holdMs = held.get(request);
    if (holdMs !== undefined) await pause(holdMs);
    const rule = committed.get(request);
    if (!rule) return payload;
    if (rule.status === 0) {
      // The request has been read by now: only its connection can still be broken.
      request.raw.socket.destroy();
      return payload;
    }
    reply.code(rule.status).headers(rule.headers).removeHeader('content-length');
    if (typeof rule.body === 'string') return rule.body;
    return rule.body === undefined ? '' : JSON.stringify(rule.body);
  });

  server.get<{ Querystring: { client?: string } }>('/_local/calls', async ({ query: { client = '' } }) => {
    const counted = [...counts].map(([call, byClient]): [string, number] => [
      call,
      [...byClient].reduce((sum, [name, times]) => (name.includes(client) ? sum + times : sum), 0),
    ]);
    return Object.fromEntries(
      counted.filter(([, times]) => times > 0).toSorted(([one], [other]) => one.localeCompare(other)),
    );
  });
  server.delete('/_local/calls', async (_request, reply) => {
    counts = new Map();
    return reply.code(204).send();
  });
  server.get('/_local/faults', async () =>
    rules.map(({ rule, seen, bitten }) => ({ ...rule, seen, bitten })),
  );
  server.put('/_local/faults', async (request, reply) => {
    const parsed = z.array(FaultRule).safeParse(request.body);
    if (!parsed.success) return reply.code(400).send({ error: z.prettifyError(parsed.error) });
    rules = parsed.data.map(rule => ({ rule, pattern: wildcard(rule.call), seen: 0, bitten: 0 }));
    return reply.code(204).send();
  });
}

function pick(rules: readonly LiveRule[], call: string, random: () => number): FaultRule | undefined {
  for (const live of rules) {
    if (!live.pattern.test(call)) continue;
    live.seen += 1;
    if (live.seen <= live.rule.after) continue;
    if (live.rule.count !== undefined && live.bitten >= live.rule.count) continue;
    if (live.rule.probability < 1 && random() >= live.rule.probability) continue;
    live.bitten += 1;
    return live.rule;
  }
  return undefined;
}
