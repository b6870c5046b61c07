import { randomUUID } from 'node:crypto';
import { recordSession, recordSessionEnd } from './agent-records.js';
import { sessionConflict, sessionExpired } from './errors.js';
import type { Agent, Session } from './rows.js';
import type { State } from './state.js';

export interface Message {
  readonly messageId: number;
  readonly messageType: string;
  readonly body: string;
}

/** What sessions need from those who have something to say to an agent. */
export interface MessageSource {
  /** An agent listens: the moment to give it a job. */
  listening(agentId: number): void;
  /** What the agent has not been told yet, after the message it saw last. */
  next(agentId: number, lastMessageId: number): Message | undefined;
  /** The agent's session is over, by its own will or because it is silent. */
  ended(agentId: number): void;
}

export interface SessionTimes {
  /** How long a request for messages is held open. */
  readonly holdMs: number;
  /** An agent that does not listen for this long is offline. */
  readonly silenceMs: number;
  /** The same after a restart of the stand-in: agents that lost their connection come back with a backoff. */
  readonly silenceAfterRestartMs: number;
}

/** One held request for messages. */
class Poll {
  replaced = false;
  #wake: () => void = () => {};

  wake(): void {
    this.#wake();
  }

  async wait(ms: number, hungUp: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        hungUp.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      hungUp.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}

/**
 * The sessions of agents. An agent is online exactly while it holds one, and it holds one only as long as it keeps
 * listening: a killed process hangs up, and is offline when it has been silent for `silenceMs`.
 */
export class Sessions {
  readonly #state: State;
  readonly #times: SessionTimes;
  readonly #polls = new Map<string, Poll>();
  readonly #silences = new Map<string, NodeJS.Timeout>();
  #source: MessageSource | undefined;
  #closed = false;

  constructor(state: State, times: SessionTimes) {
    this.#state = state;
    this.#times = times;
    for (const session of state.sessions.all()) this.#watch(session, times.silenceAfterRestartMs);
  }

  serve(source: MessageSource): void {
    this.#source = source;
  }

  isOnline(agentId: number): boolean {
    return this.#of(agentId) !== undefined;
  }

  isListening(agentId: number): boolean {
    const session = this.#of(agentId);
    return session !== undefined && this.#polls.has(session.id);
  }

  open(agent: Agent, ownerName: string): Session {
    const current = this.#of(agent.id);
    // The same process that asks again lost our answer (or we were restarted): it is not in its own way.
    if (current && current.ownerName !== ownerName) throw sessionConflict(agent.name, current.ownerName);
    if (current) {
      this.#watch(current, this.#times.silenceMs);
      return current;
    }
    const session: Session = { id: randomUUID(), poolId: agent.poolId, agentId: agent.id, ownerName };
    this.#state.sessions.put(session.id, session);
    recordSession(this.#state, agent.id);
    this.#watch(session, this.#times.silenceMs);
    return session;
  }

  find(sessionId: string): Session {
    const session = this.#state.sessions.get(sessionId);
    if (!session) throw sessionExpired(sessionId);
    return session;
  }

  end(session: Session): void {
    clearTimeout(this.#silences.get(session.id));
    this.#silences.delete(session.id);
    this.#state.sessions.remove(session.id);
    recordSessionEnd(this.#state, session.agentId);
    this.#polls.get(session.id)?.wake();
    this.#source?.ended(session.agentId);
  }

  endOf(agentId: number): void {
    const session = this.#of(agentId);
    if (session) this.end(session);
  }

  /** Tells an agent that there may be a message for it. */
  wake(agentId: number): void {
    const session = this.#of(agentId);
    if (session) this.#polls.get(session.id)?.wake();
  }

  /** Waits for the agent's next message; undefined when there is none for a while, or the agent hung up. */
  async poll(session: Session, lastMessageId: number, hungUp: AbortSignal): Promise<Message | undefined> {
    // An agent listens once: an older request of it is one that it gave up without our noticing.
    const older = this.#polls.get(session.id);
    const poll = new Poll();
    this.#polls.set(session.id, poll);
    if (older) {
      older.replaced = true;
      older.wake();
    }
    clearTimeout(this.#silences.get(session.id));
    const until = Date.now() + this.#times.holdMs;
    try {
      this.#source?.listening(session.agentId);
      while (!poll.replaced && !hungUp.aborted && !this.#closed && this.#state.sessions.get(session.id)) {
        const message = this.#source?.next(session.agentId, lastMessageId);
        if (message) return message;
        if (Date.now() >= until) break;
        await poll.wait(until - Date.now(), hungUp);
      }
      return undefined;
    } finally {
      if (this.#polls.get(session.id) === poll) {
        this.#polls.delete(session.id);
        if (this.#state.sessions.get(session.id)) this.#watch(session, this.#times.silenceMs);
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#silences.values()) clearTimeout(timer);
    for (const poll of this.#polls.values()) poll.wake();
  }

  #of(agentId: number): Session | undefined {
    return this.#state.sessionsOfAgent(agentId)[0];
  }

  #watch(session: Session, silenceMs: number): void {
    clearTimeout(this.#silences.get(session.id));
    const timer = setTimeout(() => {
      if (!this.#closed && this.#state.sessions.get(session.id)) this.end(session);
    }, silenceMs);
    this.#silences.set(session.id, timer.unref());
  }
}
