import { app, type HttpRequest } from '@azure/functions';
import { changePlaceholders, showPlaceholders } from '../shared/api/placeholders.js';
import { operations } from './composition/operations.js';

app.http('listPlaceholders', {
  route: 'placeholders',
  methods: ['GET'],
  authLevel: 'function',
  handler: async () => showPlaceholders(operations)(),
});
// One function for both, as for dead letters.
app.http('changePlaceholders', {
  route: 'placeholders/{action}',
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request: HttpRequest) => changePlaceholders(operations)(request),
});
