import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { translateRoute } from '../../../scripts/local/host/routes.js';

const test = suite('translateRoute');

const paths = (prefix: string, route: string): string[] =>
  translateRoute(prefix, route).paths.map(({ path }) => path);

const table: [prefix: string, route: string, paths: string[]][] = [
  ['api', 'hello', ['/api/hello']],
  ['', 'hello', ['/hello']],
  ['api', '', ['/api']],
  ['', '', ['/']],
  ['api/v1', '/hello/', ['/api/v1/hello']],
  ['api', 'items/{id}', ['/api/items/:p0']],
  ['api', 'items/{id:int}', [String.raw`/api/items/:p0(^-?\d+$)`]],
  ['api', 'items/{id?}', ['/api/items', '/api/items/:p0']],
  ['api', 'items/{id=5}', ['/api/items', '/api/items/:p0']],
  ['api', '{a}/{b?}/{c?}', ['/api/:p0', '/api/:p0/:p1', '/api/:p0/:p1/:p2']],
  ['api', 'files/{*rest}', ['/api/files', '/api/files/*']],
  ['api', 'files/{**rest}', ['/api/files', '/api/files/*']],
  ['api', '{a}-{b}', ['/api/:p0-:p1']],
  ['api', 'a:b', ['/api/a::b']],
  ['api', '{code:length(3)}', ['/api/:p0(^.{3,3}$)']],
  // Braces of a regex are doubled, as in ASP.NET.
  ['api', '{code:regex(^\\d{{2}}$)}', [String.raw`/api/:p0(^(?:\d{2})$)`]],
];
for (const [prefix, route, expected] of table) {
  test(`"${route}" under "${prefix}"`, () => {
    assert.equal(paths(prefix, route), expected);
  });
}

test('keeps the names and the defaults of parameters', () => {
  const route = translateRoute('api', 'items/{kind}/{request-id=none}');
  assert.equal(route.paths.at(-1)?.names, { p0: 'kind', p1: 'request-id' });
  assert.equal(route.defaults, { 'request-id': 'none' });
});

test('knows which paths any method of the route would serve', () => {
  const route = translateRoute('api', 'items/{id:int}/{part?}');
  for (const path of ['/api/items/1', '/API/Items/1/x', '/api/items/1/'])
    assert.ok(route.matches(path), path);
  for (const path of ['/api/items', '/api/items/x', '/api/items/1/x/y', '/x/api/items/1']) {
    assert.not.ok(route.matches(path), path);
  }
});

test('refuses what it can not serve, in words', () => {
  for (const route of ['{id:range(1,2)}', '{a?}/b', '{*rest}/b', 'x{a?}', '{}']) {
    assert.throws(() => translateRoute('api', route), route.includes('range') ? 'range(1,2)' : /route/i);
  }
});

test.run();
