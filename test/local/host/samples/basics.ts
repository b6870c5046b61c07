import { app, type HttpRequest, type InvocationContext, output } from '@azure/functions';
import * as df from 'durable-functions';

app.http('hello', {
  authLevel: 'anonymous',
  methods: ['GET', 'POST'],
  handler: async (request: HttpRequest, context: InvocationContext) => {
    const name = request.query.get('name') ?? ((await request.text()) || 'world');
    context.log(`greeting ${name}`);
    return { body: `Hello, ${name}!` };
  },
});

const orders = output.storageQueue({ queueName: '%OrdersQueue%', connection: 'AzureWebJobsStorage' });
app.http('order', {
  authLevel: 'function',
  methods: ['POST'],
  route: 'orders/{kind}/{number:int?}',
  extraOutputs: [orders],
  handler: async (request, context) => {
    context.extraOutputs.set(orders, {
      kind: request.params['kind'],
      number: request.params['number'] ?? null,
    });
    return { status: 202, jsonBody: { accepted: true } };
  },
});

app.storageQueue('fulfil', {
  queueName: '%OrdersQueue%',
  connection: 'AzureWebJobsStorage',
  extraInputs: [df.input.durableClient()],
  handler: async (message, context) => {
    const client = df.getClient(context);
    const id = await client.startNew('chain', { input: message });
    context.log(`started ${id}`);
  },
});

df.app.orchestration('chain', function* (context) {
  const input: unknown = context.df.getInput();
  const output: unknown[] = [input];
  output.push(yield context.df.callActivity('sayHello', 'Tokyo'));
  output.push(yield context.df.callActivity('sayHello', 'Seattle'));
  return output;
});
df.app.activity('sayHello', { handler: (name: unknown) => `Hello ${String(name)}` });
