import * as z from 'zod';

/** What a process that makes bursts is told first. It comes by IPC: arguments can be read by everybody, and keys are in it. */
export const CallerSetup = z.object({
  type: z.literal('setup'),
  url: z.url(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});
export const FloorSetup = z.object({ type: z.literal('setup'), connectionString: z.string() });
export type Setup = z.infer<typeof CallerSetup> | z.infer<typeof FloorSetup>;

export const Order = z.object({ type: z.literal('burst'), count: z.number().int().min(1) });

/** How a burst went; all times in milliseconds since its calls were let go. */
export const Burst = z.object({
  /** Of each call that was answered well, in no order. */
  latenciesMs: z.array(z.number()),
  /** What went wrong, and how often. */
  errors: z.record(z.string(), z.number()),
  /** Until the last answer. */
  elapsedMs: z.number(),
  /** What the calling process itself used of the processor. */
  cpuMs: z.number(),
});
export type Burst = z.infer<typeof Burst>;

export const Reply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('burst'), burst: Burst }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);
export type Reply = z.infer<typeof Reply>;
