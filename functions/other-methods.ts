import { app, type HttpMethod } from '@azure/functions';
import { methodNotAllowed } from '../shared/api/method-not-allowed.js';

// A route's other methods are told what it knows: the host by itself would say that there is no such route.
function refuse(
  name: string,
  route: string,
  methods: HttpMethod[],
  allowed: readonly string[],
  authLevel: 'function' | 'anonymous' = 'function',
): void {
  app.http(name, { route, methods, authLevel, handler: () => methodNotAllowed(allowed) });
}

refuse('otherAgents', 'agents', ['PUT', 'PATCH', 'DELETE'], ['GET', 'POST']);
refuse('otherAgent', 'agents/{requestId}', ['POST', 'PUT', 'PATCH'], ['GET', 'DELETE']);
refuse('otherDeadLetters', 'deadletters', ['POST', 'PUT', 'PATCH', 'DELETE'], ['GET']);
refuse('otherDeadLetter', 'deadletters/{requestId}', ['PUT', 'PATCH', 'DELETE'], ['GET']);
// Not GET: a request may be called "redrive".
refuse('otherRedrive', 'deadletters/redrive', ['PUT', 'PATCH', 'DELETE'], ['POST']);
refuse('otherPurge', 'deadletters/purge', ['PUT', 'PATCH', 'DELETE'], ['POST']);
refuse('otherHealth', 'health', ['POST', 'PUT', 'PATCH', 'DELETE'], ['GET'], 'anonymous');
refuse('otherHelp', 'help', ['POST', 'PUT', 'PATCH', 'DELETE'], ['GET'], 'anonymous');
refuse('otherHelpWithCode', 'help/{code}', ['POST', 'PUT', 'PATCH', 'DELETE'], ['GET'], 'anonymous');
refuse('otherDashboard', 'dashboard', ['POST', 'PUT', 'PATCH', 'DELETE'], ['GET']);
refuse('otherDashboardData', 'dashboard/data/{*path}', ['PUT', 'PATCH', 'DELETE'], ['GET', 'POST']);
for (const route of ['pools', 'overview', 'events', 'placeholders']) {
  const name = `other${route.charAt(0).toUpperCase()}${route.slice(1)}`;
  refuse(name, route, ['POST', 'PUT', 'PATCH', 'DELETE'], ['GET']);
}
refuse('otherPlaceholderAction', 'placeholders/{action}', ['GET', 'PUT', 'PATCH', 'DELETE'], ['POST']);
refuse('otherDiagnosis', 'diagnosis', ['GET', 'PUT', 'PATCH', 'DELETE'], ['POST']);
refuse('otherProvideAzDOAgent', 'ProvideAzDOAgent', ['GET', 'PUT', 'PATCH', 'DELETE'], ['POST']);
