import * as z from 'zod';

/** The article's settings, by its names; where it has none, what its code does. */
const Settings = z.object({
  BatchAccountUrl: z.url(),
  BatchAccountName: z.string().min(1),
  BatchAccountKey: z.string().min(1),
  ContainerRegistryServer: z.string().min(1),
  AzDOUrl: z.url(),
  AzDOToken: z.string().min(1),
  AzDOUbuntuPool: z.string().min(1),
});
export type Settings = z.infer<typeof Settings>;

/** @throws ZodError that names every setting that is missing; never its value. */
export const readSettings = (env: NodeJS.ProcessEnv): Settings => Settings.parse(env);
