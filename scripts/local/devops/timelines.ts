import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { badRequest, timelineNotFound } from './errors.js';
import type { RunLog } from './log-view.js';
import { findLivePlan, findPlan, type PlanParams, planPath } from './plans.js';
import type { Issue, Run, TimelineRecord } from './rows.js';
import type { Secrets } from './secrets.js';
import { now, type State } from './state.js';
import { decode, list, wireEnum } from './wire.js';

const WireIssue = z.object({
  type: wireEnum({ error: 1, warning: 2 }),
  message: z.string(),
});

const RecordUpdate = z.object({
  id: z.guid().transform(id => id.toLowerCase()),
  parentId: z.guid().nullish(),
  type: z.string().nullish(),
  name: z.string().nullish(),
  order: z.int().nullish(),
  state: wireEnum({ pending: 0, inProgress: 1, completed: 2 }).nullish(),
  result: wireEnum({
    succeeded: 0,
    succeededWithIssues: 1,
    failed: 2,
    canceled: 3,
    skipped: 4,
    abandoned: 5,
  }).nullish(),
  startTime: z.string().nullish(),
  finishTime: z.string().nullish(),
  percentComplete: z.number().min(0).max(100).nullish(),
  currentOperation: z.string().nullish(),
  workerName: z.string().nullish(),
  log: z.object({ id: z.int() }).nullish(),
  issues: z.array(WireIssue).nullish(),
  variables: z
    .record(z.string(), z.object({ value: z.string().nullish(), isSecret: z.boolean().nullish() }))
    .nullish(),
});
const RecordsBody = z.object({ value: z.array(RecordUpdate), count: z.int().optional() });

/** The feed is for eyes: the service takes short pieces only. */
const maxFeedLines = 100;
const maxFeedLineLength = 1024;
const FeedBody = z.object({
  value: z.array(z.string().max(maxFeedLineLength)).max(maxFeedLines),
  count: z.int().optional(),
  stepId: z.string().nullish(),
  startLine: z.int().nullish(),
});

type RecordChange = Partial<Omit<TimelineRecord, 'runId' | 'id' | 'changeId' | 'lastModified'>>;

/** The records of a run: its jobs and their tasks, with their progress, issues and output variables. */
export class Timelines {
  readonly #state: State;
  readonly #log: RunLog;
  readonly #secrets: Secrets;

  constructor(state: State, log: RunLog, secrets: Secrets) {
    this.#state = state;
    this.#log = log;
    this.#secrets = secrets;
  }

  of(runId: string): TimelineRecord[] {
    return this.#state.recordsOfRun(runId).toSorted((a, b) => a.order - b.order);
  }

  get(runId: string, id: string): TimelineRecord | undefined {
    return this.#state.records.get(`${runId}/${id}`);
  }

  put(runId: string, id: string, change: RecordChange): TimelineRecord {
    const current = this.get(runId, id) ?? {
      type: 'Task',
      name: id,
      order: this.of(runId).length + 1,
      state: 'pending',
      issues: [],
      variables: {},
      changeId: 0,
    };
    return this.#state.records.put(`${runId}/${id}`, {
      ...current,
      ...change,
      runId,
      id,
      changeId: current.changeId + 1,
      lastModified: now(),
    });
  }

  /** Adds an error to a record and shows it in the log. */
  fail(runId: string, id: string, message: string): void {
    const issue: Issue = { type: 'error', message };
    this.put(runId, id, { issues: [...(this.get(runId, id)?.issues ?? []), issue] });
    this.#log.addTo(runId, id, `##[error]${message}`);
  }

  /** What a client says about a record: fields that it leaves out stay; issues that are new appear in the log. */
  update(run: Run, update: z.infer<typeof RecordUpdate>): TimelineRecord {
    const current = this.get(run.runId, update.id);
    const issues = update.issues?.map(issue => ({
      ...issue,
      message: this.#secrets.mask(run.runId, issue.message),
    }));
    for (const issue of issues ?? []) {
      const known = current?.issues.some(old => old.type === issue.type && old.message === issue.message);
      if (!known) this.#log.addIssue(run.runId, update.id, issue.type, issue.message);
    }
    const variables = { ...current?.variables };
    for (const [name, variable] of Object.entries(update.variables ?? {})) {
      const isSecret = variable.isSecret === true;
      // A secret is held for masking, and written nowhere.
      if (isSecret) this.#secrets.remember(run.runId, variable.value ?? '');
      variables[name] = {
        value: isSecret ? '***' : this.#secrets.mask(run.runId, variable.value ?? ''),
        isSecret,
      };
    }
    const { id, log, variables: _variables, issues: _issues, ...rest } = update;
    return this.put(run.runId, id, {
      ...withoutNulls(rest),
      ...(log && { logId: log.id }),
      ...(issues && { issues }),
      variables,
    });
  }
}

type WithoutNulls<T> = { [Key in keyof T]?: NonNullable<T[Key]> };

/** JSON null means "not said", as with a field that is missing. */
function withoutNulls<T extends object>(value: T): WithoutNulls<T> {
  const kept: WithoutNulls<T> = {};
  for (const key in value) {
    const field = value[key];
    if (field !== null && field !== undefined) kept[key] = field;
  }
  return kept;
}

const recordView = (record: TimelineRecord) => ({
  id: record.id,
  parentId: record.parentId ?? null,
  type: record.type,
  name: record.name,
  order: record.order,
  startTime: record.startTime ?? null,
  finishTime: record.finishTime ?? null,
  currentOperation: record.currentOperation ?? null,
  percentComplete: record.percentComplete ?? null,
  state: record.state,
  result: record.result ?? null,
  workerName: record.workerName ?? null,
  log: record.logId === undefined ? null : { id: record.logId, type: 'Container' },
  errorCount: record.issues.filter(issue => issue.type === 'error').length,
  warningCount: record.issues.filter(issue => issue.type === 'warning').length,
  issues: record.issues,
  variables: Object.fromEntries(
    Object.entries(record.variables).map(([name, variable]) => [
      name,
      variable.isSecret ? { value: null, isSecret: true } : { value: variable.value, isSecret: false },
    ]),
  ),
  changeId: record.changeId,
  lastModified: record.lastModified,
  attempt: 1,
});

interface TimelineParams extends PlanParams {
  readonly timelineId: string;
}

export function addTimelineRoutes(
  server: FastifyInstance,
  state: State,
  timelines: Timelines,
  log: RunLog,
): void {
  const timelineView = (run: Run, records?: object[]) => ({
    id: run.timelineId,
    changeId: 1,
    lastChangedBy: '00000002-0000-8888-8000-000000000000',
    lastChangedOn: run.finishedAt ?? run.startedAt ?? run.createdAt,
    ...(records && { records }),
  });
  const checkTimeline = (run: Run, timelineId: string): Run => {
    if (run.timelineId !== timelineId.toLowerCase()) throw timelineNotFound(timelineId, run.planId);
    return run;
  };

  server.get<{ Params: PlanParams }>(`${planPath}/timelines`, async request =>
    list([timelineView(findPlan(state, request.params))]),
  );

  server.get<{ Params: TimelineParams }>(`${planPath}/timelines/:timelineId`, async request => {
    const run = checkTimeline(findPlan(state, request.params), request.params.timelineId);
    return timelineView(run, timelines.of(run.runId).map(recordView));
  });

  server.get<{ Params: TimelineParams }>(`${planPath}/timelines/:timelineId/records`, async request => {
    const run = checkTimeline(findPlan(state, request.params), request.params.timelineId);
    return list(timelines.of(run.runId).map(recordView));
  });

  server.patch<{ Params: TimelineParams }>(`${planPath}/timelines/:timelineId/records`, async request => {
    const run = checkTimeline(findLivePlan(state, request.params), request.params.timelineId);
    const body = decode(RecordsBody, request.body, 'The records');
    return list(body.value.map(update => recordView(timelines.update(run, update))));
  });

  server.post<{ Params: TimelineParams & { recordId: string } }>(
    `${planPath}/timelines/:timelineId/records/:recordId/feed`,
    async (request, reply) => {
      const run = checkTimeline(findLivePlan(state, request.params), request.params.timelineId);
      const recordId = request.params.recordId.toLowerCase();
      if (!timelines.get(run.runId, recordId)) throw badRequest(`The timeline has no record ${recordId}.`);
      const body = decode(FeedBody, request.body, 'The feed');
      log.addFeed(run.runId, recordId, body.value, body.startLine ?? undefined);
      return reply.code(204).send();
    },
  );
}
