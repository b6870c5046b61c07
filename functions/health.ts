import { app } from '@azure/functions';
import { health } from '../shared/api/health.js';
import { shared } from './composition/dependencies.js';

const checkHealth = health(shared);

app.http('health', { methods: ['GET'], authLevel: 'anonymous', handler: async () => checkHealth() });
