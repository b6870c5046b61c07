/* oxlint-disable typescript/no-unsafe-assignment -- a yield gives any; samples are written as users write them */
import { app, type HttpHandler, output } from '@azure/functions';
import * as df from 'durable-functions';
import { gate, trace } from './trace.js';

/** The well-known patterns of Durable Functions, written as its users write them. */

const start: HttpHandler = async (request, context) => {
  const client = df.getClient(context);
  const body: unknown = await request.json();
  const instanceId = await client.startNew(request.params['orchestratorName'] ?? '', { input: body });
  context.log(`Started orchestration with ID = '${instanceId}'.`);
  return client.createCheckStatusResponse(request, instanceId);
};
app.http('httpStart', {
  route: 'orchestrators/{orchestratorName}',
  extraInputs: [df.input.durableClient()],
  handler: start,
});

app.http('httpSyncStart', {
  route: 'orchestrators/wait/{orchestratorName}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const instanceId = await client.startNew(request.params['orchestratorName'] ?? '', {
      input: await request.json(),
    });
    return await client.waitForCompletionOrCreateCheckStatusResponse(request, instanceId, {
      timeoutInMilliseconds: Number(request.query.get('timeout') ?? 5) * 1000,
      retryIntervalInMilliseconds: 50,
    });
  },
});

// --- chaining ---
const sayHello = df.app.activity('sayHello', {
  handler: (name: unknown, context) => {
    context.log(`Saying hello to ${String(name)}`);
    trace(`hello ${String(name)}`);
    return `Hello ${String(name)}!`;
  },
});
df.app.orchestration('chaining', function* (context) {
  const outputs: unknown[] = [];
  outputs.push(yield sayHello('Tokyo'));
  outputs.push(yield context.df.callActivity('sayHello', 'Seattle'));
  outputs.push(yield context.df.callActivity('sayHello', 'Cairo'));
  return outputs;
});

// --- fan-out, fan-in ---
df.app.activity('listFiles', {
  handler: (count: unknown) =>
    Array.from({ length: Number(count) }, (_, index) => ({ backupPath: `folder/file${index}`, size: index })),
});
const backup = output.storageBlob({ path: 'backups/{backupPath}', connection: 'AzureWebJobsStorage' });
df.app.activity('copyFile', {
  extraOutputs: [backup],
  handler: (file: { backupPath: string; size: number }, context) => {
    context.extraOutputs.set(backup, Buffer.alloc(file.size, 'x'));
    return file.size;
  },
});
df.app.orchestration('fanOut', function* (context) {
  const files: unknown[] = yield context.df.callActivity('listFiles', context.df.getInput());
  const tasks = files.map(file => context.df.callActivity('copyFile', file));
  const sizes: number[] = yield context.df.Task.all(tasks);
  return sizes.reduce((sum, size) => sum + size, 0);
});

// --- monitor ---
let looks = 0;
df.app.activity('isClear', {
  handler: (location: unknown) => {
    trace(`look at ${String(location)}`);
    looks += 1;
    return looks >= 3;
  },
});
df.app.activity('sendGoodWeatherAlert', { handler: (phone: unknown) => trace(`alert ${String(phone)}`) });
df.app.orchestration('monitor', function* (context) {
  const { location, phone, until } = context.df.getInput<{
    location: string;
    phone: string;
    until: string;
  }>();
  const endTime = new Date(until);
  while (context.df.currentUtcDateTime.getTime() < endTime.getTime()) {
    const isClear: boolean = yield context.df.callActivity('isClear', location);
    if (isClear) {
      yield context.df.callActivity('sendGoodWeatherAlert', phone);
      break;
    }
    yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 60));
  }
  return 'done';
});

// --- human interaction ---
const sms = output.generic({
  type: 'twilioSms',
  from: '%TwilioPhoneNumber%',
  accountSidSetting: 'TwilioAccountSid',
  authTokenSetting: 'TwilioAuthToken',
});
df.app.activity('sendSmsChallenge', {
  extraOutputs: [sms],
  handler: (phone: unknown, context) => {
    const code = (String(phone).length * 1111) % 10000;
    context.extraOutputs.set(sms, { body: `Your verification code is ${code}`, to: phone });
    return code;
  },
});
df.app.orchestration('phoneVerification', function* (context) {
  const { phone, ms } = context.df.getInput<{ phone: string; ms: number }>();
  const challengeCode: number = yield context.df.callActivity('sendSmsChallenge', phone);
  const expiration = new Date(context.df.currentUtcDateTime.getTime() + ms);
  const timeoutTask = context.df.createTimer(expiration);
  let authorized = false;
  for (let i = 0; i <= 3; i += 1) {
    const challengeResponseTask = context.df.waitForExternalEvent('SmsChallengeResponse');
    const winner: unknown = yield context.df.Task.any([challengeResponseTask, timeoutTask]);
    if (winner !== challengeResponseTask) break;
    if (challengeResponseTask.result === challengeCode) {
      authorized = true;
      break;
    }
  }
  if (!timeoutTask.isCompleted) timeoutTask.cancel();
  return authorized;
});

// --- a timer that is cancelled when the work is quicker ---
df.app.activity('quick', { handler: () => 'quick' });
df.app.orchestration('cancelTimer', function* (context) {
  const expiration = new Date(context.df.currentUtcDateTime.getTime() + 3_600_000);
  const timeoutTask = context.df.createTimer(expiration);
  const activityTask = context.df.callActivity('quick');
  const winner: unknown = yield context.df.Task.any([timeoutTask, activityTask]);
  if (winner === activityTask) timeoutTask.cancel();
  return winner === activityTask;
});
/** The same without cancelling: stays running until the timer fires. */
df.app.orchestration('forgottenTimer', function* (context) {
  const timeoutTask = context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 400));
  yield context.df.Task.any([timeoutTask, context.df.callActivity('quick')]);
  return 'over';
});

// --- retries ---
const failures = new Map<string, number>();
df.app.activity('flaky', {
  handler: (input: { key: string; failures: number }) => {
    const failed = failures.get(input.key) ?? 0;
    trace(`flaky ${input.key}`);
    if (failed >= input.failures) return `after ${failed} failures`;
    failures.set(input.key, failed + 1);
    throw new Error(`${input.key} failed ${failed + 1}`);
  },
});
const retryOptions = (attempts: number): df.RetryOptions => {
  const options = new df.RetryOptions(20, attempts);
  options.backoffCoefficient = 1.5;
  return options;
};
df.app.orchestration('retry', function* (context) {
  const result: unknown = yield context.df.callActivityWithRetry(
    'flaky',
    retryOptions(3),
    context.df.getInput(),
  );
  return result;
});
/** Numbers of retries, of their timers and of what the orchestrator starts meanwhile must never get mixed up. */
df.app.orchestration('retryTangle', function* (context) {
  const { df: d } = context;
  const key = context.df.getInput<string>();
  const first = d.callActivityWithRetry('flaky', retryOptions(4), { key: `${key}-a`, failures: 3 });
  const second = d.callActivityWithRetry('flaky', retryOptions(4), { key: `${key}-b`, failures: 2 });
  const hello = d.callActivity('sayHello', 'x');
  yield d.Task.any([first, hello, d.waitForExternalEvent('never')]);
  const more: unknown = yield d.callActivity('sayHello', 'y');
  const all: unknown = yield d.Task.all([first, second, d.callActivity('sayHello', 'z')]);
  return [more, all];
});
df.app.orchestration('catching', function* (context) {
  try {
    yield context.df.callActivity('flaky', { key: context.df.instanceId, failures: 9 });
  } catch (error) {
    return `caught ${error instanceof Error ? error.message.split('\n')[0] : ''}`;
  }
  return 'nothing to catch';
});
df.app.orchestration('retryTimeout', function* (context) {
  const options = new df.RetryOptions(30, 1_000);
  options.retryTimeoutInMilliseconds = 80;
  yield context.df.callActivityWithRetry('flaky', options, { key: context.df.instanceId, failures: 1_000 });
});

// --- sub-orchestrations ---
df.app.orchestration('child', function* (context) {
  const input = context.df.getInput<{ key: string; failures: number }>();
  const result: unknown = yield context.df.callActivity('flaky', input);
  return { parent: context.df.parentInstanceId, result };
});
df.app.orchestration('parent', function* (context) {
  const result: unknown = yield context.df.callSubOrchestratorWithRetry(
    'child',
    retryOptions(3),
    context.df.getInput(),
    `${context.df.instanceId}:0`,
  );
  return result;
});
df.app.orchestration('gatedChild', function* (context) {
  yield context.df.callActivity('gated', context.df.getInput());
  return `child of ${context.df.parentInstanceId}`;
});
df.app.orchestration('gatedParent', function* (context) {
  const result: unknown = yield context.df.callSubOrchestrator(
    'gatedChild',
    context.df.getInput(),
    `${context.df.instanceId}-child`,
  );
  yield context.df.callActivity('record', 'parent done');
  return result;
});

// --- continue as new ---
df.app.orchestration('counter', function* (context) {
  const value = Number(context.df.getInput());
  context.df.setCustomStatus({ value });
  const operation: string = yield context.df.waitForExternalEvent('operation');
  if (operation === 'end') return value;
  context.df.continueAsNew(operation === 'incr' ? value + 1 : value - 1);
  return undefined;
});
df.app.orchestration('eternal', function* (context) {
  const left = Number(context.df.getInput());
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 5));
  if (left > 0) context.df.continueAsNew(left - 1);
  return 'over';
});

// --- for kills ---
df.app.activity('gated', {
  handler: async (name: unknown) => {
    trace(`enter ${String(name)}`);
    await gate(String(name));
    trace(`leave ${String(name)}`);
    return `through ${String(name)}`;
  },
});
df.app.activity('record', { handler: (text: unknown) => trace(String(text)) });
df.app.orchestration('killedInActivity', function* (context) {
  const name = context.df.getInput<string>();
  yield context.df.callActivity('record', `before ${name}`);
  const result: unknown = yield context.df.callActivity('gated', name);
  yield context.df.callActivity('record', `completion ${name}`);
  return result;
});
df.app.orchestration('killedInTimer', function* (context) {
  const { name, ms } = context.df.getInput<{ name: string; ms: number }>();
  yield context.df.callActivity('record', `before ${name}`);
  yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + ms));
  yield context.df.callActivity('record', `completion ${name}`);
  return 'fired';
});
df.app.orchestration('killedInEvent', function* (context) {
  yield context.df.callActivity('record', 'before event');
  const first: unknown = yield context.df.waitForExternalEvent('go');
  const second: unknown = yield context.df.waitForExternalEvent('go');
  yield context.df.callActivity('record', 'completion event');
  return [first, second];
});
df.app.orchestration('big', function* (context) {
  const size = Number(context.df.getInput());
  const text: string = yield context.df.callActivity('makeBig', size);
  const length: number = yield context.df.callActivity('measure', text);
  return { length, text };
});
df.app.activity('makeBig', { handler: (size: unknown) => '😀x'.repeat(Number(size)) });
df.app.activity('measure', { handler: (text: string) => text.length });
df.app.orchestration('shout', function* (context) {
  const heard: unknown = yield context.df.waitForExternalEvent('LoudName');
  return heard;
});
df.app.orchestration('callsNothing', function* (context) {
  yield context.df.callActivity('noSuchActivity');
});
df.app.orchestration('throws', function* (context) {
  yield context.df.callActivity('quick');
  throw new Error('this orchestrator is broken');
});
df.app.orchestration('http', function* (context) {
  const url = context.df.getInput<string>();
  const response: { statusCode: number; content: string } = yield context.df.callHttp({ method: 'GET', url });
  return [response.statusCode, response.content];
});
let polls = 0;
app.http('polled', {
  handler: async request => {
    polls += 1;
    if (polls < 3)
      return { status: 202, headers: { location: new URL(request.url).pathname, 'retry-after': '0.05' } };
    return { body: `after ${polls} calls` };
  },
});
