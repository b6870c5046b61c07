import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { control } from './run-routes.js';
import type { RunViews } from './run-view.js';
import type { Runs } from './runs.js';
import { readPipeline } from './yaml/read-pipeline.js';

const Variable = z.union([
  z.string().transform(value => ({ value, isSecret: false })),
  z.strictObject({ value: z.string(), isSecret: z.boolean().default(false) }),
]);
const Variables = z.record(z.string().min(1), Variable);

/** A pipeline as it lies in a repository, with what a person says when they queue a run of it. */
const NewPipelineRun = z.strictObject({
  /** The pipeline's own file, among `files`. */
  path: z.string().min(1),
  /** Text of each file by its path: the pipeline and every template that it includes. */
  files: z.record(z.string(), z.string()),
  name: z.string().min(1).max(100).optional(),
  parameters: z.record(z.string(), z.string()).default({}),
  variables: Variables.default({}),
  /** Variable groups of the library, by name. */
  groups: z.record(z.string(), Variables).default({}),
});

/** Plays a pipeline from its YAML; what the player does not know of it is refused, all at once. */
export function addPipelineRoutes(server: FastifyInstance, runs: Runs, { view }: RunViews): void {
  server.post('/_local/pipelines', async (request, reply) => {
    const given = control(NewPipelineRun, request.body);
    const read = readPipeline(given);
    if (!read.ok) {
      return reply.code(400).send({
        error: read.problems.map(({ where, message }) => `${where}: ${message}`).join('\n'),
        problems: read.problems,
      });
    }
    const { jobs, secretVariables } = read.pipeline;
    const run = runs.start({ name: given.name ?? given.path, jobs, secretVariables, attempt: 1 });
    return reply.code(201).send(view(run));
  });
}
