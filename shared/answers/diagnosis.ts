import * as z from 'zod';

export const checkAreas = ['settings', 'storage', 'batch', 'devops', 'orchestrations'] as const;

/** `POST /api/diagnosis`: every setting, permission and connection, tried for real by the app itself. */
export const diagnosisSchema = z.strictObject({
  at: z.iso.datetime(),
  version: z.string(),
  checks: z.array(
    z.strictObject({
      area: z.enum(checkAreas),
      /** What was tried, e.g. `Batch pool "linux" exists`. */
      name: z.string(),
      status: z.enum(['ok', 'warning', 'failed', 'skipped']),
      /** What was found; never a secret. */
      detail: z.string(),
      /** What to do; null where nothing is to be done. */
      remedy: z.string().nullable(),
    }),
  ),
});
export type Diagnosis = z.infer<typeof diagnosisSchema>;
