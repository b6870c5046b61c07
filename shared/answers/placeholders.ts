import * as z from 'zod';

/** `GET /api/placeholders`: offline agents that let a job be queued before its agent exists. */
export const placeholdersSchema = z.strictObject({
  placeholders: z.array(
    z.strictObject({
      devOpsPool: z.string(),
      agentName: z.string(),
      present: z.boolean(),
      /** Made again by itself when it is missing: a profile names the pool, and `KeepPlaceholders` is not `false`. */
      kept: z.boolean(),
    }),
  ),
});
export type Placeholders = z.infer<typeof placeholdersSchema>;

/** Body of `POST /api/placeholders/{ensure|remove}`; without pools: all that profiles name. */
export const placeholdersBodySchema = z.strictObject({
  devOpsPools: z.array(z.string().min(1).max(256)).min(1).max(100).optional(),
});

const placeholderOutcomes = ['present', 'removed', 'absent', 'refused', 'poolMissing'] as const;

/** Its answer. */
export const placeholderResultsSchema = z.strictObject({
  results: z.array(
    z.strictObject({ devOpsPool: z.string(), outcome: z.enum(placeholderOutcomes), detail: z.string() }),
  ),
});
export type PlaceholderResults = z.infer<typeof placeholderResultsSchema>;
