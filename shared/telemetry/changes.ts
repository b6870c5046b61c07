import { type AgentRequest, isEnded } from '../domain/request.js';
import type { LogFields, RequestStore, Telemetry } from '../ports.js';
import { steps } from './steps.js';

/** A wait that is over: nobody sat through it, so it is told from the times in the row. */
interface PastWait {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly attempt: number;
  readonly fields: LogFields;
}

/**
 * A store that tells of each change that was really written what ended with it: waits as steps of the request's trace,
 * requests by their ends, times to online. Told here, because here is what happened, once, whoever made it happen.
 */
export function toldChanges(store: RequestStore, telemetry: Telemetry): RequestStore {
  const began = (request: AgentRequest): void => {
    const { profile, state } = request;
    // A message that can't be understood asks for nothing; one that could not be delivered is written ended.
    if (profile !== '') telemetry.count('agents.requests.accepted', { profile });
    if (isEnded(state)) tellEnd(telemetry, request);
  };
  const methods: Pick<RequestStore, 'insert' | 'reopen' | 'replace'> = {
    insert: async (request, message) => {
      const inserted = await store.insert(request, message);
      if (inserted === 'inserted') began(request);
      return inserted;
    },
    reopen: async (next, message) => {
      const inserted = await store.reopen(next, message);
      if (inserted === 'inserted') began(next);
      return inserted;
    },
    replace: async (stored, next) => {
      const replaced = await store.replace(stored, next);
      if (replaced !== 'changed') tellChange(telemetry, stored.request, next);
      return replaced;
    },
  };
  return new Proxy(store, {
    get: (target, name): unknown =>
      Object.hasOwn(methods, name) ? Reflect.get(methods, name) : Reflect.get(target, name),
  });
}

function tellChange(telemetry: Telemetry, before: AgentRequest, after: AgentRequest): void {
  if (before.state === after.state && before.attempt === after.attempt) return;
  const { requestId, profile, traceparent } = after;
  const wait = waitThatEnded(before, after);
  if (wait) {
    const { name, from, to, attempt, fields } = wait;
    telemetry.past(name, { traceparent, requestId, attempt }, new Date(from), new Date(to), fields);
  }
  const online = toOnline(before, after);
  if (online !== undefined) telemetry.record('agents.time_to_online', online, { profile });
  if (isEnded(after.state)) tellEnd(telemetry, after);
  else if (after.state === 'provisioning' && before.state !== 'accepted') {
    telemetry.count('agents.attempts.failed', { profile, code: after.failure?.code ?? 'unknown' });
  }
}

function tellEnd(telemetry: Telemetry, { profile, state, failure }: AgentRequest): void {
  const code = failure?.code ?? 'none';
  telemetry.count('agents.requests.ended', { profile, state, code });
  if (state === 'deadLettered') telemetry.count('agents.dead_letters', { profile, code });
}

const waits: Readonly<Partial<Record<AgentRequest['state'], string>>> = {
  starting: steps.waitForAgent,
  online: steps.waitForJob,
  busy: steps.work,
};

/** The wait that a change of state has put an end to, if the state was one. */
export function waitThatEnded(before: AgentRequest, after: AgentRequest): PastWait | undefined {
  const to = after.history.at(-1)?.at ?? after.updatedAt;
  const { profile } = after;
  if (before.state === 'accepted') {
    return before.deferredAt === undefined
      ? undefined
      : {
          name: steps.waitForPlace,
          from: before.deferredAt,
          to,
          attempt: after.attempt,
          fields: { profile, outcome: after.state },
        };
  }
  const name = waits[before.state];
  if (name === undefined) return undefined;
  const { attempt } = before;
  const toOnlineSeconds = toOnline(before, after);
  return {
    name,
    from: sinceWhen(before),
    to,
    attempt,
    fields: {
      profile,
      outcome: after.state,
      code: failureOf(before, after),
      ...(toOnlineSeconds === undefined ? {} : { toOnlineSeconds }),
    },
  };
}

/** The failure of an earlier attempt stays in the row. */
const failureOf = (before: AgentRequest, after: AgentRequest): string | undefined =>
  after.failure === before.failure ? undefined : after.failure?.code;

/** Seconds; undefined when this change did not bring the agent online. */
const toOnline = (before: AgentRequest, after: AgentRequest): number | undefined =>
  before.onlineAt === undefined && after.onlineAt !== undefined
    ? Math.max(0, Date.parse(after.onlineAt) - Date.parse(after.createdAt)) / 1_000
    : undefined;

/** When a request came to be as it is: notes are lines of its history, too, and change nothing. */
function sinceWhen({ history, state, attempt, updatedAt }: AgentRequest): string {
  let since = updatedAt;
  for (const entry of history.toReversed()) {
    if (entry.state !== state || entry.attempt !== attempt) break;
    since = entry.at;
  }
  return since;
}
