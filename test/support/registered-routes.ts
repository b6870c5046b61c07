import * as z from 'zod';
import { CoreModule } from '../../scripts/local/host/core-module.js';

const HttpTrigger = z.object({
  type: z.literal('httpTrigger'),
  route: z.string().optional(),
  methods: z.array(z.string()),
  authLevel: z.string(),
});

const key = Buffer.alloc(32).toString('base64');
/** Enough for the app to load; none of it is called. */
const settings = {
  AzureWebJobsStorage: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${key};EndpointSuffix=core.windows.net`,
  BatchAccountUrl: 'https://a.westeurope.batch.azure.com',
  AzDOUrl: 'https://dev.azure.com/contoso/',
  AzDOToken: 'not-a-token',
  AzDOUbuntuPool: 'Ubuntu',
  CallbackTokenKey: key,
};

/**
 * Loads the app as a host does and looks what it registered. Once a process: the app's modules load only once.
 *
 * @returns for each `METHOD /api/route` whether it takes a key. Functions called `other…` only refuse a route's
 *   other methods; they are left out.
 */
export async function registeredRoutes(): Promise<ReadonlyMap<string, boolean>> {
  const core = new CoreModule({ write: () => {}, enabled: () => false });
  core.install();
  Object.assign(process.env, settings);
  await import('../../functions/index.js');
  const routes = new Map<string, boolean>();
  for (const { metadata } of core.functions.values()) {
    if (metadata.name.startsWith('other')) continue;
    for (const binding of Object.values(metadata.bindings)) {
      const { data } = HttpTrigger.safeParse(binding);
      for (const method of data?.methods ?? []) {
        const route = `${method.toUpperCase()} /api/${data?.route ?? metadata.name}`;
        routes.set(route, data?.authLevel !== 'anonymous');
      }
    }
  }
  return routes;
}
