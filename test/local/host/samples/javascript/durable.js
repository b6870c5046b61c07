/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return -- plain JavaScript has no types */
const { app } = require('@azure/functions');
const df = require('durable-functions');

df.app.orchestration('helloCities', function* (context) {
  const outputs = [];
  outputs.push(yield context.df.callActivity('hello_city', 'Tokyo'));
  outputs.push(yield context.df.callActivity('hello_city', 'Seattle'));
  return outputs;
});

df.app.activity('hello_city', { handler: input => `Hello, ${input}` });

df.app.client.http('startCities', {
  route: 'orchestrators/{orchestratorName}',
  authLevel: 'function',
  handler: async (request, client, context) => {
    const body = await request.text();
    const instanceId = await client.startNew(request.params.orchestratorName, { input: body });
    context.log(`Started orchestration with ID = '${instanceId}'.`);
    return client.createCheckStatusResponse(request, instanceId);
  },
});

app.timer('unused', { schedule: '0 0 0 1 1 *', handler: () => {} });
