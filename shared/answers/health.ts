import * as z from 'zod';

const dependencySchema = z.strictObject({ reachable: z.boolean() });

/** `GET /api/health` */
export const healthSchema = z.strictObject({
  status: z.enum(['healthy', 'degraded']).describe('`degraded`: something of the below can not be reached.'),
  dependencies: z.strictObject({
    storage: dependencySchema,
    batch: dependencySchema,
    azureDevOps: dependencySchema,
  }),
});
export type Health = z.infer<typeof healthSchema>;
