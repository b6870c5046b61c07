import { app, type HttpRequest } from '@azure/functions';
import { methodNotAllowed } from '../shared/api/method-not-allowed.js';
import { openApi } from './composition/documents.js';

const route = 'openapi.json';

app.http('openApi', {
  route,
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async (request: HttpRequest) => openApi(request),
});
app.http('otherOpenApi', {
  route,
  methods: ['POST', 'PUT', 'PATCH', 'DELETE'],
  authLevel: 'anonymous',
  handler: () => methodNotAllowed(['GET']),
});
