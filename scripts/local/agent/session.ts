import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import * as z from 'zod';
import { type Client, Refused } from './client.js';
import { forget, poolPath, type Registered } from './register.js';

const Opened = z.object({ sessionId: z.string() });
const Message = z.object({ messageId: z.int(), messageType: z.string(), body: z.string() }).optional();
type Message = z.infer<typeof Message>;

/** What keeps a registered agent online, and how it hears of its jobs. */
export class Session {
  readonly #client: Client;
  readonly #agent: Registered;
  readonly #pool: string;
  readonly #owner = `${hostname()} (pid ${process.pid}, ${randomUUID().slice(0, 8)})`;
  #sessionId = '';
  #lastMessageId = 0;

  private constructor(client: Client, agent: Registered) {
    this.#client = client;
    this.#agent = agent;
    this.#pool = poolPath(agent.poolId);
  }

  static async open(client: Client, agent: Registered): Promise<Session> {
    const session = new Session(client, agent);
    await session.#open();
    return session;
  }

  async #open(signal?: AbortSignal): Promise<void> {
    const { agentId: id, agentName: name } = this.#agent;
    const opened = await this.#client.call('POST', `${this.#pool}/sessions`, Opened, {
      body: { ownerName: this.#owner, agent: { id, name } },
      ...(signal && { signal }),
    });
    this.#sessionId = opened.sessionId;
  }

  /** Listens until there is a message. A session that the service no longer knows is opened anew. */
  async nextMessage(signal: AbortSignal): Promise<NonNullable<Message>> {
    for (;;) {
      try {
        const message = await this.#client.call(
          'GET',
          `${this.#pool}/messages?sessionId=${this.#sessionId}&lastMessageId=${this.#lastMessageId}`,
          Message,
          { signal },
        );
        if (!message) continue;
        this.#lastMessageId = message.messageId;
        return message;
      } catch (error) {
        if (!(error instanceof Refused) || error.typeKey !== 'TaskAgentSessionExpiredException') throw error;
        await this.#open(signal);
      }
    }
  }

  /** @returns false when the message is not for this agent any more: its session lapsed, or the job is over. */
  async acknowledge(messageId: number): Promise<boolean> {
    try {
      const path = `${this.#pool}/messages/${messageId}?sessionId=${this.#sessionId}`;
      await this.#client.call('DELETE', path, z.unknown());
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return false;
      throw error;
    }
  }

  /** Without a result: renews the job's lock. With one: the job is over. */
  async updateRequest(requestId: number, result?: string, signal?: AbortSignal): Promise<void> {
    await this.#client.call('PATCH', `${this.#pool}/jobrequests/${requestId}`, z.unknown(), {
      body: { requestId, ...(result !== undefined && { result, finishTime: new Date().toISOString() }) },
      ...(signal && { signal }),
    });
  }

  async close(): Promise<void> {
    await forget(this.#client, `${this.#pool}/sessions/${this.#sessionId}`);
  }
}
