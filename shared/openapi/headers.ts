import type { oas31 } from 'zod-openapi';

/** The headers of answers. */
export const headers = {
  location: {
    description: 'Where the request is shown.',
    required: true,
    schema: { type: 'string', format: 'uri' },
    example: 'https://agents.example.com/api/agents/nightly-42',
  },
  retryAfter: {
    description: 'Seconds after which it is worth asking again.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
    example: 5,
  },
  idempotentReplay: {
    description: '`true`: the request was there before this call, which started nothing. Absent otherwise.',
    schema: { type: 'string', enum: ['true'] },
  },
  allow: {
    description: 'The methods that the route takes.',
    required: true,
    schema: { type: 'string' },
    example: 'GET, POST',
  },
  etag: {
    description: 'Stands for the bytes of the answer.',
    required: true,
    schema: { type: 'string' },
  },
} as const satisfies Readonly<Record<string, oas31.HeaderObject>>;
