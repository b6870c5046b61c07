import { app } from '@azure/functions';
import { showAllHelp, showHelp } from '../shared/help/help.js';

// Anonymous: the links to it are in the logs of pipelines, and it tells nothing but what the documents tell.
app.http('help', { route: 'help', methods: ['GET'], authLevel: 'anonymous', handler: showAllHelp });
app.http('helpWithCode', {
  route: 'help/{code}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: showHelp,
});
