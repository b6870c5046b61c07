import { randomUUID } from 'node:crypto';
import { hostname, release, type as systemName } from 'node:os';
import * as z from 'zod';
import { agentVersion } from './capabilities.js';
import { type Client, Refused } from './client.js';
import { AgentExit, exitCode } from './exit.js';

const List = <Item extends z.ZodType>(item: Item) => z.object({ value: z.array(item) });
const Pools = List(z.object({ id: z.int(), name: z.string() }));
const Agent = z.object({ id: z.int(), name: z.string() });
const Agents = List(Agent);
const JobRequests = List(z.object({ reservedAgent: z.object({ name: z.string().optional() }).nullish() }));
const Session = z.object({ sessionId: z.string() });
const Message = z.object({ messageId: z.int(), messageType: z.string(), body: z.string() }).optional();
export type Message = z.infer<typeof Message>;

/** At its start an agent has nothing to lose: Batch starts it again sooner than the service comes back. */
const startPatienceMs = 60_000;
/** Jobs that are looked at for one of an earlier run; a task is run again within minutes or not at all. */
const recentJobs = 100;

/** An agent that is registered in a pool and, while it has a session, online. */
export class Registration {
  readonly #client: Client;
  readonly #pool: string;
  readonly #owner = `${hostname()} (pid ${process.pid}, ${randomUUID().slice(0, 8)})`;
  readonly agentId: number;
  readonly agentName: string;
  #sessionId = '';
  #lastMessageId = 0;

  private constructor(client: Client, poolPath: string, agent: { id: number; name: string }) {
    this.#client = client;
    this.#pool = poolPath;
    this.agentId = agent.id;
    this.agentName = agent.name;
  }

  /**
   * Registers, under a name that nobody else has: a registration of the same name is not replaced, not even an
   * offline one, and one that has taken a job is not used again, also after it was given back. A name is used once, so only
   * a rerun of the same task finds it used (its node was taken away): it would run a job that nobody has meant for it.
   *
   * @throws {AgentExit} with the code for each thing that can be wrong.
   */
  static async create(
    client: Client,
    poolName: string,
    name: string,
    systemCapabilities: Record<string, string>,
    shutdown: AbortSignal,
  ): Promise<Registration> {
    const patience = { patienceMs: startPatienceMs };
    // Only what changes nothing can be broken off: a registration that was sent may have arrived.
    const asking = { ...patience, signal: shutdown };
    const pools = await client.call(
      'GET',
      `/_apis/distributedtask/pools?poolName=${encodeURIComponent(poolName)}`,
      Pools,
      asking,
    );
    const pool = pools.value.find(candidate => candidate.name.toLowerCase() === poolName.toLowerCase());
    if (!pool) {
      throw new AgentExit(exitCode.poolUnknown, `There is no agent pool "${poolName}" in this organisation.`);
    }
    const poolPath = `/_apis/distributedtask/pools/${pool.id}`;
    const body = {
      name,
      version: agentVersion,
      osDescription: `${systemName()} ${release()}`,
      enabled: true,
      provisioningState: 'Provisioned',
      systemCapabilities,
    };
    const namesakes = await client.call(
      'GET',
      `${poolPath}/agents?agentName=${encodeURIComponent(name)}`,
      Agents,
      asking,
    );
    if (namesakes.value.length > 0) throw nameInUse(name, poolName);
    const jobs = await client.call(
      'GET',
      `${poolPath}/jobrequests?completedRequestCount=${recentJobs}&agentName=${encodeURIComponent(name)}`,
      JobRequests,
      asking,
    );
    if (jobs.value.some(({ reservedAgent }) => reservedAgent?.name?.toLowerCase() === name.toLowerCase())) {
      throw hadItsJob(name, poolName);
    }
    try {
      const agent = await client.call('POST', `${poolPath}/agents`, Agent, { ...patience, body });
      const registration = new Registration(client, poolPath, agent);
      await registration.openSession();
      return registration;
    } catch (error) {
      if (error instanceof Refused && error.status === 409) throw nameInUse(name, poolName);
      throw error;
    }
  }

  async openSession(signal?: AbortSignal): Promise<void> {
    const session = await this.#client.call('POST', `${this.#pool}/sessions`, Session, {
      body: { ownerName: this.#owner, agent: { id: this.agentId, name: this.agentName } },
      ...(signal && { signal }),
    });
    this.#sessionId = session.sessionId;
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
        await this.openSession(signal);
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

  async closeSession(): Promise<void> {
    await this.#forget(`${this.#pool}/sessions/${this.#sessionId}`);
  }

  async remove(): Promise<void> {
    await this.#forget(`${this.#pool}/agents/${this.agentId}`);
  }

  /** "Already gone" is success. */
  async #forget(path: string): Promise<void> {
    try {
      await this.#client.call('DELETE', path, z.unknown(), { patienceMs: startPatienceMs });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
    }
  }
}

const hadItsJob = (name: string, pool: string): AgentExit =>
  new AgentExit(
    exitCode.nameInUse,
    `The name "${name}" was used: an agent of this name has taken a job in pool "${pool}". A name is used once.`,
  );

const nameInUse = (name: string, pool: string): AgentExit =>
  new AgentExit(
    exitCode.nameInUse,
    `The name "${name}" is in use: pool "${pool}" has an agent of this name already, online or not. A name is used once.`,
  );
