import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { badRequest, logNotFound } from './errors.js';
import type { RunLog } from './log-view.js';
import { findLivePlan, findPlan, type PlanParams, planPath } from './plans.js';
import type { TaskLog } from './rows.js';
import type { Secrets } from './secrets.js';
import { now, type State } from './state.js';
import { decode, list, number } from './wire.js';

const NewLog = z.object({ path: z.string().min(1) });
const RangeQuery = z.object({
  startLine: z.coerce.number().int().min(0).optional(),
  endLine: z.coerce.number().int().min(0).optional(),
});

interface LogParams extends PlanParams {
  readonly logId: string;
}

/** Logs of a plan: made with a path, filled piece by piece, read back by lines. */
export function addLogRoutes(server: FastifyInstance, state: State, log: RunLog, secrets: Secrets): void {
  const find = (params: LogParams, planId: string): TaskLog => {
    const logId = decode(number, params.logId, 'The log id');
    const found = state.logs.get(`${planId}/${logId}`);
    if (!found) throw logNotFound(logId, params.planId);
    return found;
  };
  const view = ({ parts: _parts, planId: _planId, ...taskLog }: TaskLog) => taskLog;

  server.get<{ Params: PlanParams }>(`${planPath}/logs`, async request => {
    const run = findPlan(state, request.params);
    return list(
      state.logs
        .all()
        .filter(taskLog => taskLog.planId === run.planId)
        .map(view),
    );
  });

  server.post<{ Params: PlanParams }>(`${planPath}/logs`, async request => {
    const run = findLivePlan(state, request.params);
    const { path } = decode(NewLog, request.body, 'The log');
    const id = state.next(`log of ${run.planId}`);
    return view(
      state.logs.put(`${run.planId}/${id}`, {
        planId: run.planId,
        id,
        path,
        createdOn: now(),
        lastChangedOn: now(),
        lineCount: 0,
        parts: 0,
      }),
    );
  });

  server.post<{ Params: LogParams }>(`${planPath}/logs/:logId`, async request => {
    const run = findLivePlan(state, request.params);
    const taskLog = find(request.params, run.planId);
    if (!Buffer.isBuffer(request.body)) {
      throw badRequest('The content of a log is sent as application/octet-stream.');
    }
    const text = secrets.mask(run.runId, request.body.toString('utf8'));
    state.logParts.put(`${run.planId}/${taskLog.id}/${taskLog.parts + 1}`, { text });
    log.addTaskLog(run.runId, /[\w-]+$/.exec(taskLog.path)?.[0].toLowerCase(), text);
    return view(
      state.logs.put(`${run.planId}/${taskLog.id}`, {
        ...taskLog,
        lastChangedOn: now(),
        parts: taskLog.parts + 1,
        lineCount: taskLog.lineCount + splitLines(text).length,
      }),
    );
  });

  server.get<{ Params: LogParams }>(`${planPath}/logs/:logId`, async request => {
    const run = findPlan(state, request.params);
    const taskLog = find(request.params, run.planId);
    const { startLine, endLine } = decode(RangeQuery, request.query, 'The query');
    const parts: string[] = [];
    for (let part = 1; part <= taskLog.parts; part += 1) {
      parts.push(state.logParts.get(`${run.planId}/${taskLog.id}/${part}`)?.text ?? '');
    }
    return list(
      splitLines(parts.join('')).slice(startLine ?? 0, endLine === undefined ? undefined : endLine + 1),
    );
  });
}

function splitLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
