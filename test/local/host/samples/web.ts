import { app, output } from '@azure/functions';

/** One function per thing that a host must get right about HTTP. */
app.http('hello', {
  methods: ['GET'],
  handler: async request => ({ body: `Hello, ${request.query.get('name') ?? 'world'}!` }),
});
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- this app is no Express app
app.post('echo', async request => {
  const body = Buffer.from(await request.arrayBuffer());
  const headers = new Headers({
    'x-seen': request.headers.get('x-sent') ?? '',
    'content-type': 'application/octet-stream',
  });
  return { status: 201, body, headers };
});
app.http('read', {
  route: 'items/{kind:alpha}/{number:int}/{part?}',
  methods: ['GET', 'DELETE'],
  handler: request => ({ jsonBody: { params: { ...request.params }, tags: request.query.getAll('tag') } }),
});
app.http('write', { route: 'items/{kind}/{number}', methods: ['PUT'], handler: () => ({ status: 204 }) });
app.http('literal', { route: 'items/special/7', methods: ['GET'], handler: () => ({ body: 'literal' }) });
app.http('rest', {
  route: 'files/{*path}',
  methods: ['GET'],
  handler: request => ({ body: request.params['path'] ?? '(none)' }),
});
app.http('forFunctions', { authLevel: 'function', methods: ['GET'], handler: () => ({ body: 'in' }) });
app.http('forAdmins', { authLevel: 'admin', methods: ['GET'], handler: () => ({ body: 'in' }) });
app.http('throws', {
  methods: ['GET'],
  handler: () => {
    throw new Error('a secret is in this message');
  },
});
app.generic('nothing', {
  trigger: { type: 'httpTrigger', name: 'request', methods: ['GET'], authLevel: 'anonymous' },
  return: output.http({}),
  handler: () => undefined,
});
app.http('cookies', {
  methods: ['GET'],
  handler: () => ({
    cookies: [
      { name: 'a', value: '1 2', httpOnly: true, secure: true, sameSite: 'Lax', maxAge: 60, path: '/' },
      { name: 'b', value: '2' },
    ],
  }),
});
app.http('stream', {
  methods: ['GET'],
  handler: () => ({
    body: new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('one '));
        controller.enqueue(Buffer.from('two'));
        controller.close();
      },
    }),
  }),
});
const other = output.http({ name: 'other' });
app.generic('viaOutput', {
  trigger: { type: 'httpTrigger', name: 'request', methods: ['GET'], authLevel: 'anonymous' },
  extraOutputs: [other],
  handler: (_request, context) => context.extraOutputs.set(other, { status: 203, body: 'via output' }),
});
const waiting: (() => void)[] = [];
app.http('together', {
  methods: ['GET'],
  handler: async () => {
    await new Promise<void>(resolve => {
      waiting.push(resolve);
      if (waiting.length === 50) for (const go of waiting) go();
    });
    return { body: 'together' };
  },
});

app.hook.appStart(context => {
  context.hookData['started'] = true;
});
app.hook.preInvocation(context => {
  if (context.invocationContext.functionName !== 'hooked') return;
  const { functionHandler } = context;
  context.functionHandler = async (...args: Parameters<typeof functionHandler>) => {
    const result: unknown = await functionHandler(...args);
    return { body: `hooked ${JSON.stringify(result)}` };
  };
});
app.http('hooked', { methods: ['GET'], handler: () => ({ body: 'inner' }) });
app.http('logs', {
  methods: ['GET'],
  handler: (_request, context) => {
    context.debug('too quiet');
    context.log('to be seen');
    context.warn('to be heeded');
    return {};
  },
});

app.http('resting', { methods: ['GET'], handler: () => ({ body: 'awake' }) });
app.http('dozing', { methods: ['GET'], handler: () => ({ body: 'awake' }) });
app.http('restless', { methods: ['GET'], handler: () => ({ body: 'awake' }) });
