import { app, type InvocationContext, output } from '@azure/functions';
import { gate, trace } from './trace.js';

const connection = 'MyStorage';
const out = output.storageQueue({ queueName: '%WorkQueue%', connection });

app.storageQueue('work', {
  queueName: '%WorkQueue%',
  connection,
  handler: async (message: unknown, context: InvocationContext) => {
    const { dequeueCount, id, popReceipt, queueTrigger, insertionTime } = context.triggerMetadata ?? {};
    trace(JSON.stringify({ message, dequeueCount, queueTrigger }));
    if (
      typeof id !== 'string' ||
      typeof popReceipt !== 'string' ||
      !(Date.parse(String(insertionTime)) > 0)
    ) {
      throw new Error('trigger metadata is missing');
    }
    if (message === 'bad') throw new Error('it can not be done');
    if (message === 'second time' && dequeueCount === 1) throw new Error('not yet');
    if (message === 'long' || message === 'hold') await gate(message);
  },
});
app.http('send', {
  methods: ['POST'],
  extraOutputs: [out],
  handler: async (request, context) => {
    context.extraOutputs.set(out, await request.json());
    return { status: 202 };
  },
});
app.storageQueue('forward', {
  queueName: 'first',
  connection,
  return: output.storageQueue({ queueName: 'second', connection }),
  handler: message => ({ forwarded: message }),
});
app.storageQueue('receive', {
  queueName: 'second',
  connection,
  handler: message => trace(`second ${JSON.stringify(message)}`),
});
app.timer('tick', {
  schedule: '%TickSchedule%',
  useMonitor: true,
  handler: timer => {
    trace(`tick ${JSON.stringify({ pastDue: timer.isPastDue, last: typeof timer.scheduleStatus.last })}`);
  },
});
app.timer('atStart', {
  schedule: '0 0 0 1 1 *',
  runOnStartup: true,
  handler: timer => trace(`at start ${String(timer.isPastDue)}`),
});

app.hook.appTerminate(() => trace('terminated'));
