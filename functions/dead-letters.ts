import { app, type HttpRequest, type InvocationContext } from '@azure/functions';
import { listDeadLetters, settleDeadLetters, showDeadLetter } from '../shared/api/dead-letters.js';
import { whenStorageIsAway } from '../shared/api/when-storage-is-away.js';
import { intakeOf } from './composition/dependencies.js';
import { logOf } from './composition/telemetry.js';

app.http('listDeadLetters', {
  route: 'deadletters',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), listDeadLetters(intakeOf(context)))(request),
});
app.http('getDeadLetter', {
  route: 'deadletters/{requestId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), showDeadLetter(intakeOf(context)))(request),
});
// One function for both: which of two routes wins, a word or a parameter, is not the same in every host.
app.http('settleDeadLetters', {
  route: 'deadletters/{action}',
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request: HttpRequest, context: InvocationContext) =>
    whenStorageIsAway(logOf(context), settleDeadLetters(intakeOf(context)))(request),
});
