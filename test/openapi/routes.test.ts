import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { CoreModule } from '../../scripts/local/host/core-module.js';
import { openApiText } from '../../shared/openapi/document.js';

const HttpTrigger = z.object({
  type: z.literal('httpTrigger'),
  route: z.string().optional(),
  methods: z.array(z.string()),
  authLevel: z.string(),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ security: z.array(z.unknown()) }))),
});

const key = Buffer.alloc(32).toString('base64');
const settings = {
  AzureWebJobsStorage: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${key};EndpointSuffix=core.windows.net`,
  BatchAccountUrl: 'https://a.westeurope.batch.azure.com',
  AzDOUrl: 'https://dev.azure.com/contoso/',
  AzDOToken: 'not-a-token',
  AzDOUbuntuPool: 'Ubuntu',
  AzDOWindowsPool: 'Windows',
  CallbackTokenKey: key,
  ContainerRegistryServer: 'a.azurecr.io',
};

/** Every `METHOD route` that the app serves, and whether it takes a key. */
async function registered(): Promise<Map<string, boolean>> {
  const core = new CoreModule({ write: () => {}, enabled: () => false });
  core.install();
  Object.assign(process.env, settings);
  await import('../../functions/index.js');
  const found = new Map<string, boolean>();
  for (const { metadata } of core.functions.values()) {
    // They only tell which methods their route has.
    if (metadata.name.startsWith('other')) continue;
    for (const binding of Object.values(metadata.bindings)) {
      const { data } = HttpTrigger.safeParse(binding);
      for (const method of data?.methods ?? []) {
        found.set(
          `${method.toUpperCase()} /${data?.route ?? metadata.name}`,
          data?.authLevel !== 'anonymous',
        );
      }
    }
  }
  return found;
}

/** Two routes of the document that are one function, because hosts differ in which of two routes wins. */
const inOne: ReadonlyMap<string, string> = new Map(
  ['deadletters', 'placeholders'].flatMap(place =>
    ['redrive', 'purge', 'ensure', 'remove'].map(
      action => [`POST /${place}/${action}`, `POST /${place}/{action}`] as const,
    ),
  ),
);
/** For people, in a browser: not for programs that are made of the document. */
const pages = ['GET /dashboard', 'GET /dashboard/data/{*path}', 'POST /dashboard/data/{*path}'];

const test = suite('the routes of the app');

test('are those of the document, and take a key where it says so', async () => {
  const app = await registered();
  const { paths } = Document.parse(JSON.parse(openApiText()));
  const documented = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => {
        const route = `${method.toUpperCase()} ${path}`;
        return [inOne.get(route) ?? route, security.length > 0] as const;
      }),
    ),
  );
  const told = (routes: ReadonlyMap<string, boolean>): readonly string[] =>
    [...routes].map(([route, takesKey]) => `${route}${takesKey ? '' : ', anonymous'}`).toSorted();
  for (const route of pages) app.delete(route);
  assert.equal(told(app), told(documented));
});

test.run();
