import { randomUUID } from 'node:crypto';
import { app } from '@azure/functions';
import { openAgentTasks } from './agent-task.js';
import { readBody } from './body.js';
import { readSettings } from './settings.js';

/**
 * The article's design: the call itself makes the task, and that is all. It keeps nothing, so there is no repeat of a
 * failed step, no word to the pipeline that the agent is there, no answer to a repeated call but a second agent, no
 * cancellation, no limit, and nobody removes a task that is over.
 */
const tasks = openAgentTasks(readSettings(process.env), 'bench-article');

app.http('ProvideAzDOAgent', {
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request, context) => {
    const body = readBody(await request.text());
    if (!body) return { status: 400 };
    try {
      const name = body.requestId ?? randomUUID();
      await tasks.create({ name, capabilities: body.capabilities });
      // The article answers without a body; the id lets the bench find its agent.
      return { status: 200, jsonBody: { requestId: name } };
    } catch (error) {
      context.error(`No agent: ${error instanceof Error ? error.message : String(error)}`);
      return { status: 409 };
    }
  },
});
