import { setTimeout as sleep } from 'node:timers/promises';
import { QueueClient } from '@azure/storage-queue';
import * as z from 'zod';
import type { Stack } from '../local/stack/stack.js';
import { call, insist, neverLeft } from './call.js';
import type { Answered, Asked } from './ledger.js';
import type { Parts } from './parts.js';
import type { RequestKind, RequestStep } from './schedule.js';
import { agentPools, replyQueue } from './world.js';

const Shown = z.looseObject({ requestId: z.string(), endedAt: z.string().nullable() });
const Run = z.looseObject({
  runId: z.string(),
  name: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  request: z.looseObject({
    status: z.number().nullable(),
    requestId: z.string().nullable(),
    error: z.string().nullable(),
  }),
});
type Run = z.infer<typeof Run>;

/** How often a pipeline whose call did not arrive is run again by its author. */
const rerunsAtMost = 4;

export interface LoadOptions {
  readonly stack: Stack;
  readonly parts: Parts;
  /** What every pipeline's job token contains: a text that must be found nowhere. */
  readonly canary: string;
}

/** Plays the callers: each as the real one behaves, retries included. */
export class Load {
  readonly #stack: Stack;
  readonly #parts: Parts;
  readonly #canary: string;
  readonly #queue: QueueClient;
  readonly #later = new Set<Promise<void>>();

  constructor({ stack, parts, canary }: LoadOptions) {
    this.#stack = stack;
    this.#parts = parts;
    this.#canary = canary;
    this.#queue = new QueueClient(stack.settings['AzureWebJobsStorage'] ?? '', 'agent-requests', {
      retryOptions: { maxTries: 1, tryTimeoutInMs: 10_000 },
    });
  }

  /** Plays a step up to the moment when its request is accepted; what comes later goes on by itself. */
  async play(step: RequestStep, asked: Asked): Promise<void> {
    try {
      await this.#acts[step.kind](step, asked);
    } catch (error) {
      asked.gaveUp = error instanceof Error ? error.message : String(error);
    }
  }

  /** Waits for everything that still goes on. */
  async settle(): Promise<void> {
    while (this.#later.size > 0) await Promise.all(this.#later);
  }

  readonly #acts: Readonly<Record<RequestKind, (step: RequestStep, asked: Asked) => Promise<void>>> = {
    pipeline: async (step, asked) => {
      await this.#pipeline(step, asked);
    },
    pipelineRedelivered: async (step, asked) => {
      const run = await this.#pipeline(step, asked);
      this.#afterwards(asked, step.thenMs, async () => {
        // Refused once Azure DevOps was restarted: it has forgotten the token.
        await this.#control('POST', `/runs/${run.runId}/redeliver`);
      });
    },
    pipelineCancelled: async (step, asked) => {
      const run = await this.#pipeline(step, asked);
      this.#afterwards(asked, step.thenMs, async () => {
        await insist(`The cancellation of ${run.runId}`, async () => {
          const { status } = await this.#control('POST', `/runs/${run.runId}/cancel`);
          return status < 500 || undefined;
        });
      });
    },
    pipelineRerun: async (step, asked) => {
      const run = await this.#pipeline(step, asked);
      this.#afterwards(asked, 0, async () => {
        const over = await insist(`The end of ${run.runId}`, async () => {
          const seen = await this.#run(run.runId);
          if (seen.state !== 'completed') await sleep(500);
          return seen.state === 'completed' ? seen : undefined;
        });
        if (over.result !== 'succeeded') return;
        // Before its end the call would join the request of the run before, which nobody answers a second time.
        await this.#untilEnded(asked.requestId ?? '');
        asked.sent += 1;
        await this.#control('POST', `/runs/${run.runId}/retry`, { sameIds: true });
      });
    },
    article: async (step, asked) => {
      await this.#pipeline(step, asked);
    },
    http: async (step, asked) => this.#post(asked, bodyOf(step, asked)),
    httpWithoutId: async (step, asked) => this.#post(asked, bodyOf(step, asked)),
    httpRepeated: async (step, asked) => {
      const body = bodyOf(step, asked);
      await Promise.all([this.#post(asked, body), this.#post(asked, body)]);
      this.#afterwards(asked, step.thenMs, async () => this.#post(asked, body));
    },
    httpDeleted: async (step, asked) => {
      await this.#post(asked, bodyOf(step, asked));
      this.#afterwards(asked, step.thenMs, async () => {
        await insist(`The cancellation of ${asked.requestId ?? ''}`, async () => {
          const url = `${this.#stack.url('host')}/api/agents/${asked.requestId ?? ''}`;
          try {
            const { status } = await call('DELETE', url, this.#key());
            if (status < 300) asked.cancelSent = true;
            return status < 500 || undefined;
          } catch (error) {
            if (!neverLeft(error)) asked.cancelSent = true;
            throw error;
          }
        });
      });
    },
    message: async (step, asked) => {
      asked.replyQueue = replyQueue;
      await this.#message(asked, messageOf(step, asked));
    },
    messageWithoutId: async (step, asked) => this.#message(asked, messageOf(step, asked)),
    messageTwice: async (step, asked) => {
      const text = messageOf(step, asked);
      await this.#message(asked, text);
      this.#afterwards(asked, step.thenMs, async () => this.#message(asked, text));
    },
    messageGarbled: async (step, asked) => this.#message(asked, garbled(step, asked)),
  };

  #afterwards(asked: Asked, ms: number, act: () => Promise<void>): void {
    const doing = (async () => {
      await sleep(ms);
      try {
        await act();
      } catch (error) {
        asked.gaveUp ??= error instanceof Error ? error.message : String(error);
      }
    })();
    this.#later.add(doing);
    void doing.then(() => this.#later.delete(doing));
  }

  #key(): Record<string, string> {
    return { 'x-functions-key': this.#stack.functionKey };
  }

  async #untilEnded(requestId: string): Promise<void> {
    await insist(`The end of request ${requestId}`, async () => {
      const { json } = await call('GET', `${this.#stack.url('host')}/api/agents/${requestId}`, this.#key());
      return Shown.parse(json).endedAt === null ? undefined : true;
    });
  }

  async #post(asked: Asked, body: object): Promise<void> {
    const answer = await insist(`Request ${asked.tag}`, async (): Promise<Answered | undefined> => {
      try {
        const { status, json } = await call(
          'POST',
          `${this.#stack.url('host')}/api/agents`,
          this.#key(),
          body,
        );
        asked.sent += 1;
        const shown = Shown.safeParse(json);
        const answered = { status, requestId: shown.success ? shown.data.requestId : null };
        return status >= 500 || status === 429 ? undefined : answered;
      } catch (error) {
        if (!neverLeft(error)) asked.sent += 1;
        throw error;
      }
    });
    asked.answers.push(answer);
  }

  async #message(asked: Asked, text: string): Promise<void> {
    asked.message = text;
    await insist(`Message ${asked.tag}`, async () => {
      try {
        await this.#queue.createIfNotExists();
        await this.#queue.sendMessage(text, { messageTimeToLive: -1 });
        asked.sent += 1;
        asked.answers.push({ status: 201, requestId: null });
        return true;
      } catch (error) {
        if (!neverLeft(error)) asked.sent += 1;
        throw error;
      }
    });
  }

  async #pipeline(step: RequestStep, asked: Asked): Promise<Run> {
    // Its call is not repeated by anybody, so it is not begun while the app is known to be away.
    await this.#parts.untilWhole();
    let run = await this.#startRun(step, asked);
    for (let reruns = 0; ; reruns += 1) {
      const { runId } = run;
      run = await insist(`The answer to ${runId}`, async () => {
        const seen = await this.#run(runId);
        return seen.request.status !== null || seen.state === 'completed' ? seen : undefined;
      });
      const { status, requestId } = run.request;
      asked.sent += 1;
      if (status !== null && status < 300) {
        asked.answers.push({ status, requestId });
        return run;
      }
      if (asked.requestId !== undefined || reruns === rerunsAtMost) {
        throw new Error(
          `The call of ${run.runId} was answered ${status ?? 'never'}: ${run.request.error ?? ''}`,
        );
      }
      await this.#parts.untilWhole();
      run = await insist(`The rerun of ${asked.tag}`, async () => {
        const { status: answered, json } = await this.#control('POST', `/runs/${runId}/retry`, {
          sameIds: false,
        });
        return answered === 201 ? Run.parse(json) : undefined;
      });
    }
  }

  async #startRun(step: RequestStep, asked: Asked): Promise<Run> {
    let tried = false;
    return insist(`The start of ${asked.tag}`, async () => {
      if (tried) {
        const begun = await this.#runNamed(asked.tag);
        if (begun) return begun;
      }
      tried = true;
      const { status, json } = await this.#control('POST', '/runs', this.#definition(step, asked));
      if (status !== 201) throw new Error(`The run was answered ${status}: ${JSON.stringify(json)}`);
      return Run.parse(json);
    });
  }

  #definition(step: RequestStep, asked: Asked): object {
    const isArticle = step.kind === 'article';
    return {
      name: asked.tag,
      request: {
        function: `${this.#stack.url('host')}${isArticle ? '/api/ProvideAzDOAgent' : '/api/agents'}`,
        key: this.#stack.functionKey,
        body: JSON.stringify(
          isArticle
            ? { AgentOSType: 'ubuntu-20.04', ...commonOf(asked) }
            : { profile: 'ubuntu', ...bodyOf(step, asked), attempt: '$(System.JobAttempt)' },
        ),
        waitForCompletion: !isArticle,
      },
      job: {
        pool: isArticle ? agentPools.article : agentPools.ubuntu,
        demands: isArticle ? [] : ['CHAOS_BUILD -equals $(Build.BuildId)'],
        steps: [
          {
            displayName: 'Build',
            script: `sleep ${step.jobMs / 1_000}; echo built`,
          },
        ],
      },
      authToken: `${this.#canary}.${asked.tag}`,
    };
  }

  async #run(runId: string): Promise<Run> {
    return Run.parse((await this.#control('GET', `/runs/${runId}`)).json);
  }

  async #runNamed(name: string): Promise<Run | undefined> {
    const { json } = await this.#control('GET', '/runs');
    return z
      .array(Run)
      .parse(json)
      .find(run => run.name === name);
  }

  #control(method: string, path: string, body?: object): ReturnType<typeof call> {
    return call(method, `${this.#stack.url('devops')}/_local${path}`, {}, body);
  }
}

const commonOf = ({ tag }: Asked) => ({
  capabilities: { CHAOS_BUILD: '$(Build.BuildId)' },
  tags: { chaos: tag },
});

const bodyOf = (step: RequestStep, asked: Asked): object => ({
  profile: step.kind.startsWith('pipeline') ? 'ubuntu' : 'quick',
  ...(asked.requestId === undefined ? {} : { requestId: asked.requestId }),
  ...commonOf(asked),
});

function messageOf(step: RequestStep, asked: Asked): string {
  const text = JSON.stringify({
    version: 1,
    ...bodyOf(step, asked),
    ...(asked.replyQueue === undefined ? {} : { replyQueue: asked.replyQueue }),
  });
  return step.number % 2 === 0 ? text : Buffer.from(text).toString('base64');
}

/** Each kind of message that can't be understood. */
function garbled({ number }: RequestStep, { tag }: Asked): string {
  const kinds = [
    `not json, ${tag}`,
    JSON.stringify({ version: 7, tags: { chaos: tag } }),
    JSON.stringify({ version: 1, profile: 'nobody', tags: { chaos: tag } }),
    Buffer.from(JSON.stringify({ version: 1, nonsense: true, tags: { chaos: tag } })).toString('base64'),
  ];
  return kinds[number % kinds.length] ?? '';
}
