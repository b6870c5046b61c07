import * as z from 'zod';

export const tagQuery = z
  .string()
  .regex(/^[^=]{1,64}=[\s\S]{0,512}$/)
  .optional()
  .meta({ description: 'Only requests with this tag, as `NAME=VALUE`.', examples: ['team=payments'] });

/** `GET overview` */
export const overviewQuerySchema = z.object({
  hours: z
    .int()
    .min(1)
    .max(168)
    .optional()
    .meta({ description: 'Count what was asked for in the last hours; 24 without it.', examples: [24] }),
  profile: z
    .string()
    .optional()
    .meta({ description: 'Only requests of this profile.', examples: ['ubuntu'] }),
  tag: tagQuery,
});

/** `GET events` */
export const eventsQuerySchema = z.object({
  after: z
    .string()
    .optional()
    .meta({ description: 'What the answer before gave as `next`; without it: from now on.' }),
  wait: z
    .number()
    .min(0)
    .max(25)
    .optional()
    .meta({
      description: 'Seconds to wait for something to happen; answered early when it does.',
      examples: [20],
    }),
});
