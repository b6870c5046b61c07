import { app } from '@azure/functions';
import { gate } from './trace.js';

app.setup({ enableHttpStream: true });

app.http('upper', {
  route: 'upper/{name}',
  methods: ['POST'],
  handler: request => {
    const upper = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) =>
        controller.enqueue(Buffer.from(Buffer.from(chunk).toString().toUpperCase())),
    });
    const headers = { 'x-name': request.params['name'] ?? '', 'x-seen': request.headers.get('x-sent') ?? '' };
    return { status: 201, headers, ...(request.body && { body: request.body.pipeThrough(upper) }) };
  },
});
app.http('slow', {
  methods: ['GET'],
  handler: () => ({
    body: new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('first'));
        await gate('slow');
        controller.enqueue(Buffer.from('last'));
        controller.close();
      },
    }),
  }),
});
app.http('throws', {
  methods: ['GET'],
  handler: () => {
    throw new Error('no stream today');
  },
});
