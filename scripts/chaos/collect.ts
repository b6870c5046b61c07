import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { QueueServiceClient } from '@azure/storage-queue';
import * as z from 'zod';
import { batchTasks } from '../demo/batch-tasks.js';
import type { Stack } from '../local/stack/stack.js';
import { findSurvivors } from '../processes.js';
import { call } from './call.js';
import type { AgentRecord, DeadLetter, ReplyMessage, RequestRow, RunRecord } from './evidence.js';
import { replyQueue } from './world.js';

const connection = (stack: Stack): string => stack.settings['AzureWebJobsStorage'] ?? '';
const deadLetterQueue = 'agent-requests-deadletter';
/** Where messages wait that somebody still has to take. */
const intakeQueues = ['agent-requests', 'agent-requests-poison'];

const json = <T>(schema: z.ZodType<T>) =>
  z.string().transform((text, context): T => {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      context.addIssue({ code: 'custom', message: String(error) });
      return z.NEVER;
    }
  });
const optionalJson = <T>(schema: z.ZodType<T>) =>
  z.union([z.literal('').transform(() => undefined), json(schema)]).optional();

const Row = z.looseObject({
  rowKey: z.string(),
  requestId: z.string(),
  generation: z.number(),
  state: z.string(),
  attempt: z.number(),
  failureCode: z.string(),
  replyQueue: z.string(),
  tags: json(z.record(z.string(), z.string())),
  history: json(
    z.array(z.object({ state: z.string(), at: z.string(), attempt: z.number(), detail: z.string() })),
  ),
  pipeline: optionalJson(z.looseObject({ planId: z.string(), taskInstanceId: z.string() })),
  message: z.instanceof(Uint8Array).optional(),
});

export interface Rows {
  readonly rows: readonly RequestRow[];
  /** `request~…` rows by their request: where its row is once it has ended. */
  readonly pointers: ReadonlyMap<string, string>;
}

export const requestsTable = (stack: Stack, maxRetries = 5): TableClient =>
  TableClient.fromConnectionString(connection(stack), 'AgentRequests', {
    allowInsecureConnection: true,
    retryOptions: { maxRetries, retryDelayInMs: 200 },
  });

/** Every row of the table, as it lies there. */
export async function collectRows(stack: Stack): Promise<Rows> {
  const rows: RequestRow[] = [];
  const pointers = new Map<string, string>();
  for await (const entity of requestsTable(stack).listEntities()) {
    if (entity.rowKey?.startsWith('request~')) {
      pointers.set(entity.rowKey.slice('request~'.length), String(entity['endedKey']));
      continue;
    }
    const row = Row.parse(entity);
    rows.push({
      rowKey: row.rowKey,
      requestId: row.requestId,
      tag: row.tags['chaos'],
      generation: row.generation,
      state: row.state,
      attempt: row.attempt,
      history: row.history,
      failureCode: row.failureCode || undefined,
      planId: row.pipeline?.planId,
      taskInstanceId: row.pipeline?.taskInstanceId,
      replyQueue: row.replyQueue || undefined,
      message: Buffer.from(row.message ?? []).toString('base64'),
      text: JSON.stringify({ ...entity, message: Buffer.from(row.message ?? []).toString() }),
    });
  }
  return { rows, pointers };
}

const Letter = z.looseObject({
  requestId: z.string(),
  generation: z.number(),
  deadLetteredAt: z.string(),
  failure: z.looseObject({ code: z.string() }),
  message: z.string().optional(),
  messageBase64: z.string().optional(),
});

/** The dead letters, which stay where they are. */
export async function collectDeadLetters(stack: Stack): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const text of await lookInto(stack, deadLetterQueue)) {
    const letter = Letter.parse(JSON.parse(text));
    letters.push({
      requestId: letter.requestId,
      generation: letter.generation,
      at: letter.deadLetteredAt,
      failureCode: letter.failure.code,
      message:
        letter.message === undefined ? letter.messageBase64 : Buffer.from(letter.message).toString('base64'),
    });
  }
  return letters;
}

const Told = z.looseObject({ requestId: z.string(), state: z.string() });

export async function collectReplies(stack: Stack): Promise<readonly ReplyMessage[]> {
  const texts = await lookInto(stack, replyQueue);
  return texts.map(text => {
    const { requestId, state } = Told.parse(JSON.parse(text));
    return { requestId, state };
  });
}

/** Reads all messages of a queue and lets them be seen again at once. */
async function lookInto(stack: Stack, name: string): Promise<readonly string[]> {
  const queue = QueueServiceClient.fromConnectionString(connection(stack)).getQueueClient(name);
  if (!(await queue.exists())) return [];
  const texts: string[] = [];
  const taken: { messageId: string; popReceipt: string }[] = [];
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({
      numberOfMessages: 32,
      visibilityTimeout: 60,
    });
    if (receivedMessageItems.length === 0) break;
    texts.push(...receivedMessageItems.map(({ messageText }) => messageText));
    taken.push(...receivedMessageItems);
  }
  for (const { messageId, popReceipt } of taken)
    await queue.updateMessage(messageId, popReceipt, undefined, 0);
  return texts;
}

const Run = z.looseObject({
  runId: z.string(),
  name: z.string(),
  state: z.string(),
  result: z.string().nullable(),
  planId: z.string(),
  taskInstanceId: z.string(),
  finishedAt: z.string().nullable(),
  request: z.looseObject({
    status: z.number().nullable(),
    completions: z.array(z.object({ result: z.string(), at: z.string(), accepted: z.boolean() })),
  }),
  job: z.looseObject({ agentName: z.string().nullable(), startedAt: z.string().nullable() }).nullable(),
});

export async function collectRuns(
  stack: Stack,
  {
    waits,
    abandoned,
  }: { readonly waits: (name: string) => boolean; readonly abandoned: ReadonlySet<string> },
): Promise<readonly RunRecord[]> {
  const { json: runs } = await call('GET', `${stack.url('devops')}/_local/runs`);
  return z
    .array(Run)
    .parse(runs)
    .map(run => ({
      runId: run.runId,
      name: run.name,
      state: run.state,
      result: run.result,
      planId: run.planId,
      taskInstanceId: run.taskInstanceId,
      waits: waits(run.name),
      asked: run.request.status !== null && run.request.status < 300,
      completions: run.request.completions,
      jobAgent: run.job?.agentName ?? undefined,
      jobStartedAt: run.job?.startedAt ?? undefined,
      abandoned: abandoned.has(run.runId),
      finishedAt: run.finishedAt ?? undefined,
    }));
}

const Agents = z.array(
  z.object({
    id: z.number(),
    name: z.string(),
    registeredAt: z.string(),
    removedAt: z.string().optional(),
    sessions: z.array(z.object({ openedAt: z.string(), endedAt: z.string().optional() })),
  }),
);

/** Every agent that was ever registered. */
export async function collectAgents(stack: Stack): Promise<readonly AgentRecord[]> {
  const { json: agents } = await call('GET', `${stack.url('devops')}/_local/agents`);
  return Agents.parse(agents).map(agent => ({
    ...agent,
    removedAt: agent.removedAt,
    sessions: agent.sessions.map(({ openedAt, endedAt }) => ({ openedAt, endedAt })),
  }));
}

/** What is left of requests outside the table, as sentences; nothing once all of them have ended. */
export async function collectLeftovers(stack: Stack): Promise<readonly string[]> {
  const [tasks, agents, messages, instances, processes] = await Promise.all([
    batchTasks(stack),
    registeredAgents(stack),
    waitingMessages(stack),
    runningInstances(stack),
    strangers(stack),
  ]);
  return [
    ...tasks.map(task => `Batch task ${task} is still there.`),
    ...agents,
    ...messages,
    ...instances,
    ...processes,
  ];
}

const Listed = z.object({ value: z.array(z.looseObject({ id: z.number(), name: z.string() })) });

async function registeredAgents(stack: Stack): Promise<readonly string[]> {
  const headers = { authorization: `Basic ${Buffer.from(`:${stack.pat}`).toString('base64')}` };
  const get = async (path: string): Promise<z.infer<typeof Listed>> =>
    Listed.parse((await call('GET', new URL(path, stack.settings['AzDOUrl']).href, headers)).json);
  const left: string[] = [];
  for (const pool of (await get('_apis/distributedtask/pools')).value) {
    const { value } = await get(`_apis/distributedtask/pools/${pool.id}/agents`);
    // Everybody knows the placeholder: it is what is left of nobody.
    const ours = value.filter(({ name }) => !name.includes('placeholder'));
    left.push(...ours.map(({ name }) => `Agent ${name} is still registered in ${pool.name}.`));
  }
  return left;
}

/** What the app still has to take, as sentences. Hidden messages count as well: they come again. */
export async function waitingMessages(stack: Stack): Promise<readonly string[]> {
  const service = QueueServiceClient.fromConnectionString(connection(stack));
  const left: string[] = [];
  for (const name of intakeQueues) {
    const queue = service.getQueueClient(name);
    const count = (await queue.exists()) ? ((await queue.getProperties()).approximateMessagesCount ?? 0) : 0;
    if (count > 0) left.push(`Queue ${name} still has ${count} messages.`);
  }
  return left;
}

const Keys = z.looseObject({ systemKeys: z.looseObject({ durabletask_extension: z.string() }) });
const Instances = z.array(
  z.looseObject({ instanceId: z.string(), name: z.string(), runtimeStatus: z.string() }),
);

/** An orchestration that runs holds a timer or waits for news that nobody will bring. */
async function runningInstances(stack: Stack): Promise<readonly string[]> {
  const keys = Keys.parse(JSON.parse(await readFile(join(stack.dataDir, 'host', 'keys.json'), 'utf8')));
  const url = new URL(`${stack.url('host')}/runtime/webhooks/durabletask/instances`);
  url.searchParams.set('code', keys.systemKeys.durabletask_extension);
  url.searchParams.set('runtimeStatus', 'Pending,Running,Suspended');
  url.searchParams.set('top', '1000');
  const { json: instances } = await call('GET', url.href);
  return Instances.parse(instances).map(
    ({ instanceId, name, runtimeStatus }) =>
      `Orchestration ${instanceId} (${name}) is still ${runtimeStatus.toLowerCase()}.`,
  );
}

/** Processes that work in the folder of the stack and are none of its parts. */
async function strangers(stack: Stack): Promise<readonly string[]> {
  const parts = new Set(stack.parts.map(part => stack.pid(part)));
  const found = await findSurvivors({ group: -1, folder: stack.dataDir });
  return found
    .filter(({ pid }) => !parts.has(pid))
    .map(({ pid, command }) => `Process ${pid} is still there: ${command}`);
}
