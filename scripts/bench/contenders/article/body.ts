import * as z from 'zod';

/** The article's body, and as much of ours as a pipeline of the bench sends. All of it is optional. */
export const Body = z.object({
  AgentOSType: z.string().optional(),
  AgentBuildType: z.string().optional(),
  profile: z.string().optional(),
  requestId: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
    .optional(),
  capabilities: z.record(z.string(), z.string()).default({}),
});

/** @returns undefined for what is no such body. */
export function readBody(text: string): z.infer<typeof Body> | undefined {
  try {
    return Body.safeParse(text.trim() === '' ? {} : JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
