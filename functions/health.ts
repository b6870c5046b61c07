import { app } from '@azure/functions';
import { checkHealth } from './composition.js';

app.http('health', { methods: ['GET'], authLevel: 'anonymous', handler: async () => checkHealth() });
