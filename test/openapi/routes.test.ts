import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as z from 'zod';
import { openApiText } from '../../shared/openapi/document.js';
import { registeredRoutes } from '../support/registered-routes.js';

const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ security: z.array(z.unknown()) }))),
});

/** Two routes of the document that are one function, because hosts differ in which of two routes wins. */
const inOne: ReadonlyMap<string, string> = new Map(
  ['deadletters', 'placeholders'].flatMap(place =>
    ['redrive', 'purge', 'ensure', 'remove'].map(
      action => [`POST /api/${place}/${action}`, `POST /api/${place}/{action}`] as const,
    ),
  ),
);
/** For people, in a browser: not for programs that are made of the document. */
const pages = ['GET /api/dashboard', 'GET /api/dashboard/data/{*path}', 'POST /api/dashboard/data/{*path}'];

const test = suite('the routes of the app');

test('are those of the document, and take a key where it says so', async () => {
  const app = new Map(await registeredRoutes());
  const { paths } = Document.parse(JSON.parse(openApiText()));
  const documented = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => {
        const route = `${method.toUpperCase()} /api${path}`;
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
