import http from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { getBearerHandler, WebApi } from 'azure-devops-node-api';
import type { IRequestHandler } from 'azure-devops-node-api/interfaces/common/VsoBaseInterfaces.js';
import { TaskApi } from 'azure-devops-node-api/TaskApi.js';
import * as z from 'zod';
import { shorten, TransientError } from '../domain/failure.js';
import type { PipelineContext } from '../domain/request.js';
import type { Clock, CompletionAnswer, PipelineCallback, PipelineNotes, TellAnswer } from '../ports.js';
import { type DevOpsFacts, describeAnswer, devOpsFacts, isTransient } from './devops-errors.js';
import { createDevOpsThrottle, type DevOpsThrottle } from './devops-throttle.js';
import { keptConnections } from './kept-connections.js';
import { product } from './product.js';
import { describeNoAnswer } from './service-errors.js';
import { createSystemClock } from './system-clock.js';

const callTimeoutMs = 10_000;
const maxLines = 100;
const maxLineLength = 1_024;

/** Everything about the run is gone: asking its plan would only tell the same. */
const planIsGone: ReadonlySet<string> = new Set([
  'TaskOrchestrationPlanNotFoundException',
  'TaskOrchestrationPlanTerminatedException',
]);
/** The plan is not for this token: it is over, unless it can still be read with that very token. */
const planIsClosed = 'TaskOrchestrationPlanSecurityException';
/** Nobody waits for the task any more, which may be answered as 500; the run itself may go on. */
const taskIsGone = 'OrchestrationSessionNotFoundException';

const planLocation = '5cecd946-d704-471e-a45f-3b4064fcfaba';
const Plan = z.object({ state: z.string() });
const CreatedLog = z.object({ id: z.number() });

/**
 * Speaks with the job token of one pipeline run, at the address that the run gave. A redirect is never followed:
 * it would carry the token to a host that nobody allowed.
 */
export function createDevOpsPipelineCallback(
  clock: Clock = createSystemClock(),
  onThrottle?: () => void,
): PipelineCallback {
  /** By collection: all the tokens of its pipelines stand for the same identity, whose calls are counted. */
  const throttles = new Map<string, DevOpsThrottle>();
  const throttleOf = ({ planUrl }: PipelineContext): DevOpsThrottle => {
    const known = throttles.get(planUrl) ?? createDevOpsThrottle(clock, 'callback', onThrottle);
    throttles.set(planUrl, known);
    return known;
  };

  return {
    tell: async (pipeline, token, lines) => {
      const throttle = throttleOf(pipeline);
      const value = toLogLines(lines, token);
      let answer: TellAnswer = 'unknown';
      for (let start = 0; start < value.length; start += maxLines) {
        // What is only told is left out rather than kept waiting.
        if (throttle.isPaused()) return 'unknown';
        answer = await tellPart(pipeline, token, throttle, value.slice(start, start + maxLines));
        if (typeof answer === 'object') return answer;
      }
      return answer;
    },

    annotate: async (pipeline, token, notes) => {
      const lines = toLogLines(notes.log ?? [], token);
      const logId = lines.length > 0 ? await ignoreErrors(() => writeLog(pipeline, token, lines)) : undefined;
      const record = toRecord(pipeline, token, notes, logId);
      if (!record) return;
      const path = `/timelines/${encodeURIComponent(pipeline.timelineId)}/records`;
      await ignoreErrors(() =>
        open(pipeline, token).rest.update(`${planOf(pipeline)}${path}?api-version=4.1`, {
          value: [record],
          count: 1,
        }),
      );
    },

    complete: async (pipeline, token, result) => {
      const throttle = throttleOf(pipeline);
      await throttle.pause();
      const refusal = await postCompletion(pipeline, token, throttle, result);
      if (refusal === undefined) return { kind: 'acknowledged' };
      if (refusal.typeKey !== undefined && planIsGone.has(refusal.typeKey)) {
        return { kind: 'planOver', reason: refusal.typeKey };
      }
      return askPlan(pipeline, token, refusal.typeKey ?? `HTTP ${refusal.status ?? '?'}`);
    },
  };
}

type Refusal = Pick<DevOpsFacts, 'status' | 'typeKey'>;

const isTerminal = (typeKey = ''): boolean =>
  typeKey === taskIsGone || typeKey === planIsClosed || planIsGone.has(typeKey);

/** Sends lines to the log of the run; only a plan that is certain to be over is told as that. */
async function tellPart(
  pipeline: PipelineContext,
  token: string,
  throttle: DevOpsThrottle,
  lines: readonly string[],
): Promise<TellAnswer> {
  const { jobId, timelineId } = pipeline;
  const path = `/timelines/${encodeURIComponent(timelineId)}/records/${encodeURIComponent(jobId)}/feed`;
  try {
    const { statusCode, headers } = await open(pipeline, token).rest.create(
      `${planOf(pipeline)}${path}?api-version=4.1`,
      { value: lines, count: lines.length },
    );
    throttle.heed(headers);
    return isTaken(statusCode) ? 'told' : await isPlanOver(pipeline, token, `HTTP ${statusCode}`);
  } catch (error) {
    const facts = devOpsFacts(error);
    const { typeKey, status } = facts;
    throttle.pauseFor(facts.retryAfterMs);
    if (typeKey !== undefined && planIsGone.has(typeKey)) return { planOver: typeKey };
    if (!isTerminal(typeKey) && isTransient(facts)) return 'unknown';
    return isPlanOver(pipeline, token, typeKey ?? `HTTP ${status ?? '?'}`);
  }
}

async function isPlanOver(pipeline: PipelineContext, token: string, reason: string): Promise<TellAnswer> {
  const answer = await ignoreErrors(() => askPlan(pipeline, token, reason));
  return answer?.kind === 'planOver' ? { planOver: answer.reason } : 'unknown';
}

/** 203 is the sign-in page, 404 is not thrown by the client: neither means that somebody took it. */
const isTaken = (status: number): boolean => status >= 200 && status < 300 && status !== 203;

/** @returns nothing when the completion was taken. */
async function postCompletion(
  pipeline: PipelineContext,
  token: string,
  throttle: DevOpsThrottle,
  result: 'succeeded' | 'failed',
): Promise<Refusal | undefined> {
  try {
    const { statusCode, headers } = await open(pipeline, token).rest.create(
      `${planOf(pipeline)}/events?api-version=2.0-preview.1`,
      { name: 'TaskCompleted', taskId: pipeline.taskInstanceId, jobId: pipeline.jobId, result },
    );
    throttle.heed(headers);
    return isTaken(statusCode) ? undefined : { status: statusCode, typeKey: undefined };
  } catch (error) {
    const facts = devOpsFacts(error);
    throttle.pauseFor(facts.retryAfterMs);
    if (!isTerminal(facts.typeKey) && isTransient(facts)) throw unavailable(facts);
    return facts;
  }
}

/** A refused completion says little: only the plan tells whether the run is over. */
async function askPlan(pipeline: PipelineContext, token: string, reason: string): Promise<CompletionAnswer> {
  const { projectId, hubName, planId } = pipeline;
  try {
    const api = new TaskApi(pipeline.planUrl, [getBearerHandler(token, false)], restOptions);
    const { requestUrl, apiVersion } = await api.vsoClient.getVersioningData(
      '7.2-preview.2',
      'distributedtask',
      planLocation,
      { scopeIdentifier: projectId, hubName, planId },
    );
    if (requestUrl === undefined) return { kind: 'refused', reason };
    const { statusCode, result } = await api.rest.get(requestUrl, {
      acceptHeader: api.createAcceptHeader('application/json', apiVersion),
    });
    if (statusCode === 404) return { kind: 'planOver', reason: `${reason}; the plan is not there any more` };
    const plan = Plan.safeParse(result);
    if (plan.success && plan.data.state.toLowerCase() === 'completed') {
      return { kind: 'planOver', reason: `${reason}; the plan has completed` };
    }
  } catch (error) {
    const facts = devOpsFacts(error);
    const { typeKey = '' } = facts;
    if (typeKey === planIsClosed || planIsGone.has(typeKey)) {
      return { kind: 'planOver', reason: `${reason}; ${typeKey}` };
    }
    const gaveNoRoute = facts.status === undefined && facts.code === undefined && !isTimeout(facts);
    if (!gaveNoRoute && isTransient(facts)) throw unavailable(facts);
  }
  return { kind: 'refused', reason };
}

async function writeLog(pipeline: PipelineContext, token: string, lines: readonly string[]): Promise<number> {
  const { rest } = open(pipeline, token);
  const created = await rest.create(`${planOf(pipeline)}/logs?api-version=4.1`, {
    path: `logs\\${pipeline.taskInstanceId}`,
  });
  const { id } = CreatedLog.parse(created.result);
  const content = Readable.from([Buffer.from(`${lines.join('\n')}\n`, 'utf8')]);
  await rest.uploadStream('POST', `${planOf(pipeline)}/logs/${id}?api-version=4.1`, content, {
    additionalHeaders: { 'Content-Type': 'application/octet-stream' },
  });
  return id;
}

function toRecord(pipeline: PipelineContext, token: string, notes: PipelineNotes, logId: number | undefined) {
  const variables = Object.entries(notes.variables ?? {}).map(
    ([name, value]) => [name, { value, isSecret: false }] as const,
  );
  const changes = {
    ...(variables.length > 0 ? { variables: Object.fromEntries(variables) } : {}),
    ...(notes.error === undefined
      ? {}
      : { issues: [{ type: 'error', message: hide(token, notes.error) }], errorCount: 1 }),
    ...(logId === undefined ? {} : { log: { id: logId } }),
  };
  return Object.keys(changes).length > 0 ? { id: pipeline.taskInstanceId, ...changes } : undefined;
}

const restOptions = {
  socketTimeout: callTimeoutMs,
  allowRetries: false,
  allowRedirects: false,
  maxRedirects: 0,
};

const open = (pipeline: PipelineContext, token: string): WebApi =>
  new WebApi(pipeline.planUrl, overKeptConnections(getBearerHandler(token, false)), restOptions, product);

/**
 * Each run has a token of its own and so a client of its own, which would open a connection for each call. With these
 * one is kept for whichever run is told something next.
 */
function overKeptConnections(handler: IRequestHandler): IRequestHandler {
  const prepareRequest = handler.prepareRequest.bind(handler);
  handler.prepareRequest = options => {
    prepareRequest(options);
    // That of a proxy is of another kind, and stays.
    if (options.agent instanceof https.Agent) options.agent = keptConnections.https;
    else if (options.agent instanceof http.Agent) options.agent = keptConnections.http;
  };
  return handler;
}

const planOf = ({ planUrl, projectId, hubName, planId }: PipelineContext): string =>
  `${planUrl.replace(/\/+$/, '')}/${encodeURIComponent(projectId)}/_apis/distributedtask/hubs/` +
  `${encodeURIComponent(hubName)}/plans/${encodeURIComponent(planId)}`;

/** What people read must never hold the token, whatever the lines were made of. */
const toLogLines = (lines: readonly string[], token: string): string[] =>
  lines.flatMap(line => line.split(/\r?\n/)).map(line => shorten(hide(token, line), maxLineLength));

const hide = (token: string, text: string): string => (token === '' ? text : text.replaceAll(token, '***'));

async function ignoreErrors<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch {
    return undefined;
  }
}

const isTimeout = ({ message }: DevOpsFacts): boolean => message?.startsWith('Request timeout') ?? false;

const unavailable = (facts: DevOpsFacts): TransientError =>
  new TransientError(
    'AzDOUnavailable',
    'callback',
    facts.status === undefined
      ? `The waiting pipeline can't be told: Azure DevOps can't be reached: ${describeNoAnswer(facts.code)}.`
      : `The waiting pipeline can't be told: Azure DevOps answered ${describeAnswer(facts)}.`,
    facts.retryAfterMs,
  );
